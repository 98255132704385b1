import { createHash } from 'node:crypto';
import { storedArtifact, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { type CatalogFact, UpstreamError } from '@granary/contract/ports';
import { type PinnedArtifact, type Purl, parseSha256, purlParts, type Sha256, type StateFact, VanishedBody } from '@granary/core/model';
import { replacedIn } from './observe.ts';
import type { SyncPorts } from './sync-ports.ts';

/** What looking at held files again came to. */
interface Rechecked {
  readonly facts: number;
  /** Files of which upstream has other bytes by now than those that are held. */
  readonly replaced: readonly string[];
}
/** Looks again at files of which upstream's index doesn't say what is in them: only their bytes tell that they were replaced. */
export interface Rechecks {
  /**
   * To be called when the index of a package was looked at and its facts are sequenced; the same holds until the next call. Most calls do nothing:
   * the files of one release of a package are asked for in an hour, and all that is asked for is bounded. Upstream's faults are no answer.
   */
  afterLook(packagePurl: Purl, signal?: AbortSignal): Promise<Rechecked>;
}
export interface RecheckPorts extends Pick<SyncPorts, 'upstreamBase' | 'upstream' | 'catalog' | 'sink' | 'clock'> {
  readonly ecosystem: { readonly index: Pick<SyncPorts['ecosystem']['index'], 'unlisted'> };
}

const HOUR_MS = 3_600_000;
/** Of releases and of bytes in an hour, whatever the number of packages. */
const MAX_RELEASES_PER_HOUR = 1200;
const MAX_BYTES_PER_HOUR = 2 ** 30;
const REMEMBERED_TAGS = 50_000;

const NOTHING: Rechecked = { facts: 0, replaced: [] };

export function openRechecks(ports: RecheckPorts): Rechecks {
  const next = openTurns(ports);
  const tags = new Map<Purl, string>();
  return {
    async afterLook(packagePurl, signal) {
      const facts: StateFact[] = [];
      for (const file of next(packagePurl)) {
        const found = await foundUpstream(ports, { file, tags, signal });
        const known = ports.catalog.current('vanished', file.held.purl);
        const fact = found === undefined ? undefined : standingFact(file.held, found, known);
        if (fact !== undefined) facts.push(fact);
      }
      if (facts.length === 0) return NOTHING;
      await ports.sink.submit(facts);
      return { facts: facts.length, replaced: replacedIn(facts) };
    },
  };
}

/** A held file, and where upstream has it. */
interface HeldFile {
  readonly held: PinnedArtifact & { readonly sizeBytes?: number };
  readonly upstream: UpstreamArtifact;
}

/** The files whose turn it is, release by release; a new process begins anywhere, so that none is passed over for ever. */
function openTurns(ports: RecheckPorts): (packagePurl: Purl) => readonly HeldFile[] {
  const turns = new Map<Purl, { readonly at: number; readonly turn: number }>();
  let hour = { from: 0, releases: 0, bytes: 0 };
  return (packagePurl) => {
    const now = Date.parse(ports.clock.now());
    if (now - hour.from >= HOUR_MS) hour = { from: now, releases: 0, bytes: 0 };
    const last = turns.get(packagePurl);
    if (last !== undefined && now - last.at < HOUR_MS) return [];
    const releases = releasesOf(ports, packagePurl);
    const turn = last === undefined ? now : last.turn + 1;
    const files = releases[turn % Math.max(1, releases.length)] ?? [];
    const bytes = files.reduce((sum, { held }) => sum + (held.sizeBytes ?? 0), 0);
    if (files.length === 0 || hour.releases >= MAX_RELEASES_PER_HOUR || hour.bytes + bytes > MAX_BYTES_PER_HOUR) return [];
    turns.set(packagePurl, { at: now, turn });
    hour = { ...hour, releases: hour.releases + 1, bytes: hour.bytes + bytes };
    return files;
  };
}

/** Held files of which upstream states nothing, by version. */
function releasesOf({ catalog, ecosystem, upstreamBase }: RecheckPorts, packagePurl: Purl): readonly (readonly HeldFile[])[] {
  const { unlisted } = ecosystem.index;
  if (unlisted === undefined) return [];
  const held = Map.groupBy(catalog.ofPackage('stored', packagePurl).map(storedArtifact), ({ purl }) => purlParts(purl).version ?? '');
  return [...held].flatMap(([version, files]) => {
    const there = (unlisted(upstreamBase, packagePurl, version) ?? []).filter(({ digests }) => Object.keys(digests).length === 0);
    const both = files.flatMap((file) => there.filter(({ purl }) => purl === file.purl).map((upstream) => ({ held: file, upstream })));
    return both.length === 0 ? [] : [both];
  });
}

/** `replaced` without a digest where upstream's file is larger: it isn't read to its end. */
type Found = { readonly type: 'same' } | { readonly type: 'replaced'; readonly sha256?: Sha256 };

/** Undefined when upstream doesn't say: it has no such file now, or doesn't answer. */
async function foundUpstream(
  { upstream }: RecheckPorts,
  { file: { held, upstream: there }, tags, signal }: { readonly file: HeldFile; readonly tags: Map<Purl, string>; readonly signal: AbortSignal | undefined },
): Promise<Found | undefined> {
  const etag = tags.get(held.purl);
  const { sizeBytes: maxBytes = 0 } = held;
  try {
    const response = await upstream.open({ url: there.url, maxBytes, ...(etag === undefined ? {} : { etag }), ...(signal === undefined ? {} : { signal }) });
    if (response.status === 'not-found') return undefined;
    if (response.status === 'not-modified') return { type: 'same' };
    const digest = await digestOf(response.body);
    if (digest !== held.sha256) return digest === undefined ? undefined : { type: 'replaced', sha256: digest };
    if (response.etag !== undefined && tags.size < REMEMBERED_TAGS) tags.set(held.purl, response.etag);
    return { type: 'same' };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return error.code === 'too-large' ? { type: 'replaced' } : undefined;
  }
}

async function digestOf(body: AsyncIterable<Uint8Array>): Promise<Sha256 | undefined> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return parseSha256(hash.digest('hex'));
}

/** Undefined where that is on record already. What the index no longer lists is not listed again because it can still be had. */
function standingFact({ purl }: PinnedArtifact, found: Found, known: CatalogFact | undefined): StateFact | undefined {
  const before = known === undefined ? undefined : VanishedBody.parse(known.entry.body);
  const was = before?.state ?? 'back';
  const prev = known === undefined ? {} : { prev: known.key };
  switch (found.type) {
    case 'same':
      return was === 'replaced' ? { kind: 'vanished', subject: purl, body: { state: 'back' }, ...prev } : undefined;
    case 'replaced': {
      if (was === 'replaced' && before?.replacement?.sha256 === found.sha256) return undefined;
      const replacement = found.sha256 === undefined ? {} : { replacement: { sha256: found.sha256 } };
      return { kind: 'vanished', subject: purl, body: { state: 'replaced', ...replacement }, ...prev };
    }
  }
}
