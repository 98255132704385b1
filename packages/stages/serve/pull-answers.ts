import type { PackageDocument, Route, UpstreamArtifact } from '@granary/contract/ecosystem';
import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import { type Purl, packageOf } from '@granary/core/model';
import { lineAnswer } from './answers.ts';
import type { ClientParts } from './client-answers.ts';
import { fileHeaders } from './file-headers.ts';
import { labelOf, quarantineOf } from './holding.ts';
import { mediaTypesOf } from './media-types.ts';
import type { PullRefusal, PullThrough } from './pull-through.ts';
import type { Target } from './target.ts';

type ClientTarget = Extract<Target, { type: 'client' }>;
type Answer = HttpResponse | Promise<HttpResponse>;
interface Asked {
  readonly parts: ClientParts;
  readonly target: ClientTarget;
  readonly request: HttpRequest;
  readonly pull: PullThrough;
  /** From what is held alone. */
  readonly answerHeld: () => Answer;
}

/** Packages that one path is looked for in, upstream. */
const MAX_PACKAGES = 4;

/** Answers in the view that fetches what is missing. HEAD asks nobody. */
export function answerPulled(parts: ClientParts, target: ClientTarget, { request, answerHeld }: Pick<Asked, 'request' | 'answerHeld'>): Answer {
  const { pull } = parts.ports;
  const { route } = target;
  if (pull === undefined) return lineAnswer(501, `Granary fetches nothing for clients here: ${REMEDY}`);
  const asked = { parts, target, request, pull, answerHeld };
  switch (route.type) {
    case 'package':
      return answerPackage(asked, route);
    case 'artifact':
      return parts.holdings.find(route.packages, route) === undefined ? answerFile(asked, route) : answerHeld();
    case 'companion':
      // What its checks brought along comes on record with the file.
      return answerShown(pull.shown(route.packages), answerHeld);
    case 'root':
    case 'fixed':
    case 'evidence':
    case 'question':
      return answerHeld();
  }
}

/** Once what one client was given shows. */
export function answerShown(shown: Promise<unknown> | undefined, answer: () => Answer): Answer {
  return shown === undefined ? answer() : shown.then(nextTurn).then(answer);
}

const REMEDY = 'it is switched on by pullThrough: in granary.yaml, for processes that reach upstreams';
/** What went wrong is in the log: addresses of upstreams are nobody else's business. */
const SILENT: PullRefusal = { status: 503, why: 'upstream does not answer now, or has been asked enough for today' };

async function answerPackage(
  { parts, pull, request, answerHeld }: Asked,
  { package: packagePurl }: Extract<Route, { type: 'package' }>,
): Promise<HttpResponse> {
  const holding = parts.holdings.of(packagePurl);
  if (request.method === 'HEAD' || holding.quarantine !== undefined) return await answerHeld();
  const refusal = pull.refusal(packagePurl);
  if (refusal !== undefined && refusal.status !== 503) return holding.files.length > 0 ? await answerHeld() : refused(packagePurl, refusal);
  const look = refusal === undefined ? await pull.look(packagePurl) : ({ type: 'stale' } as const);
  await nextTurn();
  const isKnown = parts.ports.catalog.current('observed', packagePurl) !== undefined;
  switch (look.type) {
    case 'current':
      return await answerHeld();
    case 'absent':
      return holding.files.length > 0 ? await answerHeld() : lineAnswer(404, `Granary does not hold ${labelOf(packagePurl)}, and upstream has no such package`);
    case 'stale': {
      if (!isKnown) return refused(packagePurl, refusal ?? SILENT);
      const { headers, ...answer } = await answerHeld();
      return { ...answer, headers: [...headers, 'granary-state', 'stale'] };
    }
  }
}

async function answerFile(asked: Asked, { packages, path }: Extract<Route, { type: 'artifact' }>): Promise<HttpResponse> {
  const { parts, target, pull, request, answerHeld } = asked;
  const found = await findUpstream(asked, packages, path);
  if ('answer' in found) return found.answer;
  const { artifact } = found;
  // Somebody else's request for it may have brought it meanwhile.
  const brought = parts.holdings.find(packages, { path });
  if (brought !== undefined) return await answerHeld();
  const holding = parts.holdings.of(packageOf(artifact.purl));
  const quarantine = quarantineOf(holding, artifact.purl);
  if (quarantine !== undefined) return parts.refuse.quarantined(artifact.purl, quarantine);
  if (holding.files.some(({ purl }) => purl === artifact.purl))
    return refused(artifact.purl, { status: 403, why: 'upstream has other bytes under its name than those that are held, and the first ones stay' });
  const refusal = pull.refusal(artifact.purl);
  if (refusal !== undefined) return refused(artifact.purl, refusal);
  if (request.method === 'HEAD') return { status: 200, headers: headersOf(target, artifact, artifact.sizeBytes) };
  const isWhole = request.headers['range'] === undefined;
  const pulled = await pull.fetch(artifact, isWhole ? 'bytes' : 'whole');
  if (pulled.type === 'refused') return refused(artifact.purl, pulled.refusal);
  // Parts are answered from the store, which knows how.
  await nextTurn();
  const held = isWhole ? undefined : parts.holdings.find(packages, { path });
  if (held !== undefined) return await answerHeld();
  const { sizeBytes, open, whole } = pulled;
  return { status: 200, headers: headersOf(target, artifact, sizeBytes), body: whole ?? { sizeBytes, open: async () => open() } };
}

type Found = { readonly artifact: UpstreamArtifact } | { readonly answer: HttpResponse };

/** What is on record first; upstream is asked where that doesn't tell. */
async function findUpstream({ parts, target, pull, request, answerHeld }: Asked, packages: readonly Purl[], path: string): Promise<Found> {
  const candidates = packages.slice(0, MAX_PACKAGES);
  const known = await firstOffered(parts, target, { candidates, path });
  if (known !== undefined) return { artifact: known };
  let problem: HttpResponse | undefined;
  for (const packagePurl of request.method === 'HEAD' ? [] : candidates) {
    const holding = parts.holdings.of(packagePurl);
    const { quarantine } = holding;
    if (quarantine !== undefined) return { answer: parts.refuse.quarantined(packagePurl, quarantine) };
    const refusal = pull.refusal(packagePurl);
    const permits = (purl: Purl) => quarantineOf(holding, purl) === undefined && pull.refusal(purl) === undefined;
    const sight = refusal === undefined ? await pull.sight(packagePurl, { path, permits }) : undefined;
    const artifact = sight?.type === 'sighted' ? fileAt(sight.document, path) : undefined;
    if (artifact !== undefined) return { artifact };
    if (sight?.type === 'stale') problem ??= refused(packagePurl, SILENT);
    if (refusal !== undefined) problem ??= refused(packagePurl, refusal);
  }
  await nextTurn();
  const found = await firstOffered(parts, target, { candidates, path });
  return found === undefined ? { answer: problem ?? (await answerHeld()) } : { artifact: found };
}

function fileAt(document: PackageDocument, path: string): UpstreamArtifact | undefined {
  return document.fileAt === undefined ? document.artifacts.find((listed) => listed.path === path) : document.fileAt(path);
}

/** Caches ask once a turn whether anything is new: what was recorded in this one shows in the next. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function firstOffered(
  { listings }: ClientParts,
  target: ClientTarget,
  { candidates, path }: { readonly candidates: readonly Purl[]; readonly path: string },
): Promise<UpstreamArtifact | undefined> {
  for (const packagePurl of candidates) {
    const found = await listings.upstreamFile(target, packagePurl, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refused(purl: Purl, { status, why }: PullRefusal): HttpResponse {
  return lineAnswer(status, `Granary does not hold ${labelOf(purl)}, and did not fetch it: ${why}`);
}

function headersOf(target: ClientTarget, { digests: { sha256 } }: UpstreamArtifact, sizeBytes: number | undefined): readonly string[] {
  return fileHeaders({ mediaType: mediaTypesOf(target)[0] ?? 'application/octet-stream', sizeBytes, sha256 });
}
