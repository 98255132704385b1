import type { Route } from '@granary/contract/ecosystem';
import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { redirectAnswer } from './answers.ts';
import type { Artifacts } from './artifacts.ts';
import type { EvidenceDocuments } from './evidence.ts';
import type { HeldFile, Holding } from './holding.ts';
import type { Holdings } from './holdings.ts';
import type { Listings } from './listings.ts';
import { mediaTypesOf } from './media-types.ts';
import type { Pages } from './pages.ts';
import { meets } from './policy.ts';
import { answerPulled, answerShown } from './pull-answers.ts';
import { answerQuestion } from './questions.ts';
import type { Refusals } from './refusals.ts';
import type { ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';

type ClientTarget = Extract<Target, { type: 'client' }>;
type Answer = HttpResponse | Promise<HttpResponse>;
export interface ClientParts {
  readonly ports: ServePorts;
  readonly holdings: Holdings;
  readonly listings: Listings;
  readonly pages: Pages;
  readonly artifacts: Artifacts;
  readonly evidence: EvidenceDocuments;
  readonly refuse: Refusals;
}

/** Answers a package manager. What a view refuses on an index it refuses on the file's own address too: `npm ci` never reads an index. */
export function answerClient(parts: ClientParts, target: ClientTarget, request: HttpRequest): Answer {
  const { route } = target;
  const future = futureProblem(parts.ports, target);
  if (future !== undefined && target.view.type === 'as-of') return parts.refuse.future(target.view, future);
  if ('redirect' in route && route.redirect !== undefined) return redirectAnswer(relativeTo(target.path, route.redirect));
  if (target.view.type !== 'pull') {
    // What one client was given in the view that fetches, the next one finds here.
    return answerShown(parts.ports.pull?.shown(packagesOf(route)), () => answerByRoute(parts, target, request));
  }
  return answerPulled(parts, target, { request, answerHeld: () => answerByRoute(parts, target, request) });
}

function packagesOf(route: Route): readonly Purl[] {
  switch (route.type) {
    case 'package':
      return [route.package];
    case 'artifact':
    case 'companion':
      return route.packages;
    case 'root':
    case 'fixed':
    case 'evidence':
    case 'question':
      return [];
  }
}

function answerByRoute(parts: ClientParts, target: ClientTarget, request: HttpRequest): Answer {
  const { route } = target;
  switch (route.type) {
    case 'root':
      return parts.pages.root(target, request);
    case 'package':
      return parts.pages.package(target, route, request);
    case 'fixed':
      return parts.pages.fixed(target, route.name, request);
    case 'evidence':
      return parts.evidence.answer(target, route, request);
    case 'question':
      return answerQuestion(parts.ports, target, route, request);
    case 'artifact': {
      const found = parts.holdings.find(route.packages, route);
      if (found === undefined) return parts.refuse.notHeld({ packages: route.packages, asked: lastSegment(route.path) });
      return admitted(parts, target, { ...found, serve: () => parts.artifacts.file(found.file, mediaTypeOf(target), request) });
    }
    case 'companion': {
      const found = parts.holdings.find(route.packages, route.artifact);
      if (found === undefined) return parts.refuse.notHeld({ packages: route.packages, asked: lastSegment(target.path) });
      const { stored } = found.file;
      const digest = route.companion === 'metadata' ? stored.metadata : stored.companions?.[route.companion];
      if (digest === undefined) return parts.refuse.noCompanion(found.file, route.companion);
      return admitted(parts, target, { ...found, serve: () => parts.artifacts.companion(digest, mediaTypeOf(target), request) });
    }
  }
}

/** The future of a registry isn't known, nor that of a ledger. */
function futureProblem({ clock, ledgerSize }: ServePorts, { view }: ClientTarget): string | undefined {
  if (view.type !== 'as-of') return undefined;
  const now = clock.now();
  if (view.time > now) return `that is in the future, it is ${now} now`;
  if (view.size !== undefined && view.size > ledgerSize()) return `the ledger has ${ledgerSize()} entries`;
  return undefined;
}

interface Wanted {
  readonly holding: Holding;
  readonly file: HeldFile;
  readonly serve: () => Answer;
}

function admitted({ ports, listings, refuse }: ClientParts, target: ClientTarget, { holding, file, serve }: Wanted): Answer {
  // Also where the index of a view never changes.
  if (holding.quarantine !== undefined) return refuse.quarantined(holding.package, holding.quarantine);
  if (file.quarantine !== undefined) return refuse.quarantined(file.purl, file.quarantine);
  const { view } = target;
  // Withheld, it would only keep clients from checking what they may have.
  if (file.stored.support === true) return serve();
  switch (view.type) {
    case 'all':
    case 'pull':
      return serve();
    case 'verified': {
      const answer = meets(file, ports.site.policy, ports.clock.now());
      return answer.met || ports.site.policy.mode === 'report' ? serve() : refuse.policy(file, answer.why);
    }
    case 'as-of': {
      const paths = listings.paths(target, holding.package);
      const decide = (listed: ReadonlySet<string>) => (listed.has(file.path) ? serve() : refuse.notThen(file, view));
      return paths instanceof Promise ? paths.then(decide) : decide(paths);
    }
  }
}

function mediaTypeOf(target: ClientTarget): string {
  return mediaTypesOf(target)[0] ?? 'application/octet-stream';
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Relative, so that it holds under whatever prefix we are reached. */
function relativeTo(path: string, canonical: string): string {
  return `${'../'.repeat(path.split('/').length - 1)}${canonical.split('/').map(encodeURIComponent).join('/')}`;
}
