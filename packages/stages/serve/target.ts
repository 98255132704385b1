import type { Route } from '@granary/contract/ecosystem';
import { repositoryUrl } from '@granary/core/git';
import { type RepositoryTarget, repositoryRoute } from './repositories.ts';
import type { ServedEcosystem } from './serve-ports.ts';
import { takeView, type View, viewPath } from './view.ts';

/** What the path of a request means. */
export type Target =
  | {
      readonly type: 'client';
      readonly view: View;
      /** Name of the view in caches. */
      readonly viewPath: string;
      /** Where clients reach the ecosystem in this view, without a slash at the end. */
      readonly address: string;
      readonly ecosystem: ServedEcosystem;
      readonly route: Route;
      /** Below the ecosystem's prefix, decoded. */
      readonly path: string;
    }
  | RepositoryTarget
  | { readonly type: 'site'; readonly segments: readonly string[]; readonly query: URLSearchParams }
  | { readonly type: 'unknown'; readonly why: string };

/** Below it repositories are served, by host and path. */
const REPOSITORIES = 'git';
/** Longer ones are asked by no client. */
const MAX_TARGET_LENGTH = 4096;

/** Untrusted text to a meaning. `/pypi/…` is the default view, `/<view>/pypi/…` any other, `/git/<host>/<path>` a repository; everything else is the site's own. */
export function parseTarget(
  target: string,
  site: { readonly ecosystems: readonly ServedEcosystem[]; readonly defaultView: View; readonly publicUrl: string },
): Target {
  if (target.length > MAX_TARGET_LENGTH) return { type: 'unknown', why: 'the address is too long' };
  const [rawPath = '', query = ''] = target.split('?', 2);
  const segments = decodeSegments(rawPath);
  if (segments === undefined) return { type: 'unknown', why: 'the address is not one that can be read' };
  const taken = takeView(segments);
  if (taken?.ok === false) return { type: 'unknown', why: taken.why };
  const [prefix = '', ...rest] = taken?.rest ?? segments;
  const view = taken?.view ?? site.defaultView;
  if (prefix === REPOSITORIES) {
    const route = repositoryRoute(rest.join('/'), new URLSearchParams(query));
    if (route === undefined) return { type: 'unknown', why: 'no repository has such an address' };
    const address = `${site.publicUrl}/${taken === undefined ? '' : `${viewPath(view)}/`}${REPOSITORIES}/${repositoryUrl(route.repository).slice('https://'.length)}`;
    return { type: 'repository', view, address, ...route };
  }
  const ecosystem = site.ecosystems.find(({ id }) => id === prefix);
  if (ecosystem === undefined && taken === undefined) return { type: 'site', segments, query: new URLSearchParams(query) };
  if (ecosystem === undefined) return { type: 'unknown', why: `no ecosystem is called ${prefix.slice(0, 40) || 'nothing'}` };
  const path = rest.join('/');
  const route = ecosystem.views.route(path);
  if (route === undefined) return { type: 'unknown', why: `${ecosystem.id} has no such address` };
  const address = `${site.publicUrl}/${taken === undefined ? '' : `${viewPath(view)}/`}${ecosystem.id}`;
  return { type: 'client', view, viewPath: viewPath(view), address, ecosystem, route, path };
}

/** Undefined for what is not UTF-8, and for what would mean another path than it shows: dots, slashes and controls in disguise. */
function decodeSegments(path: string): readonly string[] | undefined {
  try {
    const segments = path.replace(/^\//, '').split('/').map(decodeURIComponent);
    return segments.some((segment) => segment === '.' || segment === '..' || /[\p{Cc}\\]/u.test(segment)) ? undefined : segments;
  } catch {
    return undefined;
  }
}
