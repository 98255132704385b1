import {
  leadingFile,
  type Rebuilding,
  type RebuildStrategy,
  type ReleaseClaim,
  releaseClaim,
  storedArtifact,
  type WrittenEntry,
} from '@granary/contract/ecosystem';
import { type CatalogFact, JobError, RepositoryError, StoreError } from '@granary/contract/ports';
import { type HeldRepository, heldRepository } from '@granary/contract/repository';
import { ArchiveError } from '@granary/core/archive';
import {
  type ComputedFact,
  canonicalJson,
  factBody,
  type Json,
  LocatedBody,
  ObservedBody,
  type PinnedArtifact,
  type Purl,
  packageOf,
  pinned,
  releaseOf,
  toPurl,
} from '@granary/core/model';
import type { PlanPorts } from './rebuild-ports.ts';
import { isDecided, type LocatedCommit, locateCommit } from './source/locate-commit.ts';
import { publishedDocument, publishedFiles } from './source/published-files.ts';
import { searchOf } from './source/search-of.ts';
import { isLocatedAnew, keepWritten, writtenInputs } from './written.ts';

export interface LocatePorts extends Pick<PlanPorts, 'documents' | 'blobs' | 'catalog' | 'repositories' | 'sink' | 'written'> {
  readonly ecosystem: {
    readonly rebuilding: { readonly strategy: Pick<RebuildStrategy, 'engine' | 'commits' | 'sourceOf'>; readonly rulesOf: Rebuilding['rulesOf'] };
  };
}

const MAX_ARTIFACT_BYTES = 256 * 2 ** 20;

/**
 * Finds what an artifact can be rebuilt from, and records it: a commit of the repository that it names, where that is held and one of its commits is the release's, else a
 * source archive. That there is nothing is recorded too.
 */
export async function locateSource(ports: LocatePorts, purl: Purl): Promise<void> {
  const stored = storedFact(ports, purl);
  const leader = leadingFile(ports.catalog, ports.ecosystem, stored);
  if (leader !== undefined) return await locateBehind(ports, storedArtifact(stored), leader);
  const written = ports.written?.of(storedArtifact(stored));
  const claim = releaseClaim(ports.catalog, ports.ecosystem, stored, ports.written);
  const { publishedAt } = claim;
  const target: PinnedArtifact = { ...storedArtifact(stored), ...(publishedAt === undefined ? {} : { publishedAt }) };
  const found = await commitOf(ports, target, { claim, written });
  const chosen = found?.located.chosen;
  // A written commit that isn't there is not replaced by something else.
  const archive =
    chosen === undefined && !isDecided({ written: written?.definition })
      ? ports.ecosystem.rebuilding.strategy.sourceOf?.(target, await siblingsOf(ports, target))
      : undefined;
  const ofArchive: LocatedBody['source'] =
    archive === undefined ? undefined : { kind: 'archive', tier: 'publisher-archive', purl: archive.purl, sha256: archive.sha256 };
  const source = found?.source ?? ofArchive;
  if (written !== undefined) await keepWritten(ports.blobs, written);
  const body: LocatedBody = {
    source: source === undefined || written === undefined ? source : { ...source, written: written.sha256 },
    snapshot: found?.snapshot,
    report: await found?.report(),
    findings: found === undefined ? undefined : [...found.located.findings],
  };
  const lookedAt = [
    target.sha256,
    ...(archive === undefined ? [] : [archive.sha256]),
    ...(found === undefined ? [] : [found.snapshot, `engine:${ports.ecosystem.rebuilding.strategy.engine}`]),
  ];
  const before = ports.catalog.current('located', purl);
  // A job may come twice, and what it found first rests on what was found before: to find it again is no news.
  if (before !== undefined && !isLocatedAnew(before, { lookedAt, written })) return;
  const located: ComputedFact = { kind: 'located', subject: purl, inputs: [...lookedAt, ...writtenInputs(before, written)], body: factBody(body) };
  await ports.sink.submit([located]);
}

/** Of the commit that another file of the release was found to be made from: what was looked into, and what speaks against it, is the same. */
async function locateBehind({ catalog, sink }: LocatePorts, { purl, sha256 }: PinnedArtifact, leader: CatalogFact): Promise<void> {
  const located = catalog.current('located', toPurl(leader.entry.subject));
  if (located === undefined) throw new JobError('later', `locate the source of ${purl}: that of ${leader.entry.subject} isn't known yet`);
  const fact: ComputedFact = { kind: 'located', subject: purl, inputs: [sha256, located.key], body: factBody(LocatedBody.parse(located.entry.body)) };
  await sink.submit([fact]);
}

const NOTHING: LocatedCommit = { chosen: undefined, examined: [], findings: [] };

interface FoundCommit {
  readonly located: LocatedCommit;
  readonly source: LocatedBody['source'];
  readonly snapshot: HeldRepository['snapshot'];
  readonly report: () => Promise<LocatedBody['report']>;
}

interface Said {
  readonly claim: ReleaseClaim;
  readonly written: WrittenEntry | undefined;
}

/** Undefined where the ecosystem rebuilds nothing from commits, or no repository that the artifact is said to be from is held. */
async function commitOf(ports: LocatePorts, target: PinnedArtifact, { claim, written }: Said): Promise<FoundCommit | undefined> {
  const { strategy, rulesOf } = ports.ecosystem.rebuilding;
  const search = searchOf(ports.catalog, claim);
  const { commits } = strategy;
  const form = commits?.documentOf?.(target.fileName) === undefined ? rulesOf(target.fileName)?.format : 'document';
  if (commits === undefined || search === undefined || form === undefined) return undefined;
  const { repository, directory: claimedDirectory, attestedCommit, claimedCommit, overruled } = search;
  const observed = ports.catalog.current('observed', repository);
  if (observed === undefined) return undefined;
  // What was looked into is on record whatever came of it: else it would be looked into again and again.
  const nothing: FoundCommit = {
    located: NOTHING,
    source: undefined,
    snapshot: ObservedBody.parse(observed.entry.body).document,
    report: async () => undefined,
  };
  const held = await heldRepository(ports, repository);
  const published = held === undefined ? undefined : await readUpTo(ports.blobs, target);
  if (held === undefined || published === undefined) return nothing;
  try {
    const { objectFormat } = held.state;
    const release = { target, rules: commits, claimedDirectory, attestedCommit, written: written?.definition, isStated: !search.isNamed, overruled };
    const files = form === 'document' ? publishedDocument(target.fileName, published, objectFormat) : await publishedFiles(published, form, objectFormat);
    const looked = await locateCommit(held, { ...release, files }, claimedCommit);
    const located = { ...looked, findings: [...new Set([...looked.findings, ...search.findings])] };
    return { located, source: sourceOf(located, repository), snapshot: held.snapshot, report: () => writeReport(ports, located) };
  } catch (error) {
    // An archive that nobody can read was made from no commit that anybody could name.
    if (error instanceof ArchiveError) return { ...nothing, snapshot: held.snapshot };
    if (error instanceof RepositoryError) throw new JobError('later', `locate the source of ${target.purl}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Undefined for what is too large to be looked into. */
async function readUpTo(blobs: LocatePorts['blobs'], { sha256 }: PinnedArtifact): Promise<Uint8Array | undefined> {
  try {
    return await blobs.read(sha256, MAX_ARTIFACT_BYTES);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return undefined;
    throw error;
  }
}

function sourceOf({ chosen }: LocatedCommit, repository: Purl): LocatedBody['source'] {
  if (chosen === undefined) return undefined;
  const { tier, commit, directory, evidence, ref } = chosen;
  return { kind: 'commit', tier, repository, commit, evidence, ...(directory === '' ? {} : { directory }), ...(ref === undefined ? {} : { ref }) };
}

async function writeReport({ blobs }: LocatePorts, { examined }: LocatedCommit): Promise<LocatedBody['report']> {
  const candidates: Json = examined.map(({ lacking, score, ref, ...candidate }) => ({
    ...candidate,
    ...(ref === undefined ? {} : { ref }),
    // In thousandths: a fact's numbers are whole.
    score: Math.round(score * 1000),
    lacking: lacking.map(({ path }) => path),
  }));
  const bytes = new TextEncoder().encode(canonicalJson({ granary: 1, type: 'source-candidates', candidates }));
  return (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
}

export function targetOf(ports: Pick<PlanPorts, 'catalog'>, purl: Purl): PinnedArtifact {
  return storedArtifact(storedFact(ports, purl));
}

function storedFact({ catalog }: Pick<PlanPorts, 'catalog'>, purl: Purl): CatalogFact {
  const stored = catalog.current('stored', purl);
  if (stored === undefined) throw new JobError('later', `plan ${purl}: it isn't stored`);
  return stored;
}

export function locatedSource(ports: Pick<PlanPorts, 'catalog'>, purl: Purl): NonNullable<LocatedBody['source']> {
  const located = ports.catalog.current('located', purl);
  const source = located === undefined ? undefined : LocatedBody.parse(located.entry.body).source;
  if (source === undefined) throw new JobError('never', `plan ${purl}: no source was located`);
  return source;
}

/** The files of the same release, as any index document that we saw listed them. */
async function siblingsOf(ports: LocatePorts, target: PinnedArtifact): Promise<readonly PinnedArtifact[]> {
  const release = releaseOf(target.purl);
  const siblings = new Map<Purl, PinnedArtifact>();
  for (const fact of ports.catalog.ofPackage('observed', packageOf(target.purl), { history: true })) {
    for (const artifact of (await ports.documents.of(fact)).artifacts) {
      const sibling = releaseOf(artifact.purl) === release ? pinned(artifact) : undefined;
      if (sibling !== undefined) siblings.set(sibling.purl, sibling);
    }
  }
  return [...siblings.values()];
}
