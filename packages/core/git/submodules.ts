import type { Purl } from '../model/index.ts';
import { parseRepository, repositoryUrl } from './repository-url.ts';

/** A line of a file in the format of git-config(1), as git says it: `submodule.<name>.path`. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
}
/** What `.gitmodules` says of one submodule (gitmodules(5)). */
export interface DeclaredSubmodule {
  readonly path: string;
  /** Untrusted, as it is written. */
  readonly url: string;
}

const MEMBER = /^submodule\.(.+)\.(path|url)$/s;
/** Of the way back that a relative address may take; no forge has so many folders. */
const MAX_STEPS = 32;

/** Those that have a path and an address, in the order of their names' first line; of several lines the last holds, as for git. */
export function declaredSubmodules(entries: readonly ConfigEntry[]): readonly DeclaredSubmodule[] {
  const found = new Map<string, { path?: string; url?: string }>();
  for (const { key, value } of entries) {
    const [, name, member] = MEMBER.exec(key) ?? [];
    if (name === undefined) continue;
    const known = found.get(name) ?? {};
    found.set(name, member === 'path' ? { ...known, path: value } : { ...known, url: value });
  }
  return [...found.values()].flatMap(({ path, url }) => (path === undefined || url === undefined ? [] : [{ path, url }]));
}

/**
 * The repository that a submodule's address means, said in this repository; undefined where it isn't one that is read over https, or is a file, a
 * command or an option. What begins with `./` or `../` starts at the repository's own address (git-submodule(1), add), and doesn't leave its host.
 */
export function submoduleRepository(repository: Purl, url: string): Purl | undefined {
  const written = /^\.\.?\//.test(url) ? joined(repositoryUrl(repository), url) : url;
  return written === undefined ? undefined : parseRepository(written)?.purl;
}

function joined(base: string, relative: string): string | undefined {
  const { origin, pathname } = new URL(base);
  const segments = pathname.slice(1).split('/');
  let rest = relative;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    const [step, isUp] = /^\.(\.)?\//.exec(rest) ?? [];
    if (step === undefined) return `${origin}/${[...segments, rest].join('/')}`;
    rest = rest.slice(step.length);
    if (isUp !== undefined && segments.pop() === undefined) return undefined;
  }
  return undefined;
}
