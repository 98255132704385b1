import type { Checked, Declared, UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type StoredBlob, UpstreamError } from '@granary/contract/ports';
import { type Artifact, type ComputedFact, type Digests, digestsAgree, type Evidence, type Json, packageOf, purlParts, type Sha256 } from '@granary/core/model';
import { askUpstream, heldFiles } from './ask-upstream.ts';
import { checkAttested, MAX_COMPANION_BYTES } from './check-attested.ts';
import { type FetchedArtifact, type FetchOptions, type FoundArtifact, fetchArtifact, toJobError } from './fetch-artifact.ts';
import { holdSmall } from './hold-small.ts';
import type { Sighted } from './sighting.ts';
import type { SyncPorts } from './sync-ports.ts';

/** Larger ones are stored, but what they say of themselves isn't read. */
const MAX_READ_BYTES = 128 * 2 ** 20;
/** Of all files that the checks of one artifact bring along. */
const MAX_BESIDE_BYTES = 16 * 2 ** 20;

/**
 * Takes one artifact in: fetched, checked against every digest upstream states and whatever else the ecosystem checks, stored, and
 * recorded with its evidence. Throws JobError: `later` when upstream doesn't have it or has other bytes, `at-once` when it couldn't be reached.
 */
export async function storeArtifact(ports: StorePorts, wanted: WantedArtifact, signal?: AbortSignal): Promise<void> {
  await takeArtifact(ports, wanted, signal === undefined ? {} : { signal });
}

export interface StorePorts extends Omit<SyncPorts, 'ecosystem'> {
  readonly ecosystem: Pick<SyncPorts['ecosystem'], 'index' | 'declared' | 'check' | 'attestations'>;
}
/** By its path as well, where a document that has it can be asked by that. */
export type WantedArtifact = Pick<Artifact, 'purl' | 'digests'> & { readonly path?: string };
export interface TakeOptions extends FetchOptions {
  /** What upstream's index says by now, where that may not be on record yet. */
  readonly sighted?: Sighted | undefined;
}
export interface TakenArtifact {
  readonly blob: StoredBlob;
  /** Its checks brought files that stand for themselves, which clients may ask for next. */
  readonly broughtMore: boolean;
}
/** As {@link storeArtifact}, watched; its facts are durable when it resolves, and those of what was sighted. */
export async function takeArtifact(ports: StorePorts, wanted: WantedArtifact, options: TakeOptions): Promise<TakenArtifact> {
  const fetched = await fetchArtifact(ports, await findArtifact(ports, wanted, options.sighted), options);
  return await recordArtifact(ports, fetched, { ...options, wanted });
}

export interface RecordOptions extends Pick<TakeOptions, 'signal' | 'sighted'> {
  readonly wanted: WantedArtifact;
  /** Nothing can be heard of upstream: what the checks would ask it for is as if it had none. */
  readonly isSilent?: boolean;
}
/** Checks an artifact that is in the store, and records it with its evidence. */
export async function recordArtifact(ports: StorePorts, fetched: FetchedArtifact, options: RecordOptions): Promise<TakenArtifact> {
  const { signal, sighted, wanted } = options;
  const { artifact, blob } = fetched;
  const checked = await check(ports, fetched, options);
  confirmWanted(wanted, artifact, { ...checked.digests, sha256: blob.sha256 });
  const declared = await readDeclared(ports, fetched);
  const metadata = declared.metadata === undefined ? undefined : await ports.blobs.put(declared.metadata, { maxBytes: declared.metadata.length });
  const companions = await fetchCompanions(ports, artifact, signal);
  for (const [name, bytes] of Object.entries(checked.companions ?? {}))
    companions.stored[name] = (await ports.blobs.put(bytes, { maxBytes: MAX_COMPANION_BYTES })).sha256;
  const attested = await checkAttested(ports, companions.stored, { artifact, digests: provenDigests(artifact, blob) });
  const publishedAt = artifact.publishedAt ?? declared.publishedAt;
  const { sha256: _, ...digests } = { ...checked.digests, ...artifact.digests };
  const beside = await besideFacts(ports, checked);
  // What says where it is from comes to stay before it does, and so does what it is proven by: whoever finds the one asks for the other.
  await sighted?.recorded;
  await ports.sink.submit([
    ...beside,
    storedFact(artifact, blob, {
      ...(publishedAt === undefined ? {} : { publishedAt }),
      ...(Object.keys(digests).length === 0 ? {} : { digests: { ...digests } }),
      ...(declared.licence === undefined ? {} : { licence: declared.licence }),
      ...(declared.source === undefined ? {} : { source: { ...declared.source } }),
      ...(metadata === undefined ? {} : { metadata: metadata.sha256 }),
      ...(Object.keys(companions.stored).length === 0 ? {} : { companions: companions.stored }),
      ...(attested.source === undefined ? {} : { attested: { ...attested.source } }),
      evidence: [...attested.evidence, ...checked.evidence, ...companions.evidence].map((evidence): Json => ({ ...evidence })),
    }),
  ]);
  return { blob, broughtMore: beside.length > 0 };
}

export interface BringOptions extends FetchOptions {
  /** What is small stays in memory; otherwise all goes into the store. */
  readonly holdsSmall: boolean;
}
export interface BroughtArtifact extends TakenArtifact {
  /** All of it, where it is small and not in the store. */
  readonly bytes: Uint8Array | undefined;
}
/** Fetches a file by what upstream says of its release alone, and checks it; nothing of it is on record. Throws as {@link storeArtifact}. */
export async function bringArtifact(ports: StorePorts, artifact: UpstreamArtifact, { holdsSmall, ...options }: BringOptions): Promise<BroughtArtifact> {
  const { blobs, catalog } = ports;
  const { put, inMemory } = holdsSmall ? holdSmall(blobs) : { put: blobs.put, inMemory: () => undefined };
  const fetched = await fetchArtifact({ ...ports, blobs: { ...blobs, put } }, { artifact, listing: 'listed' }, options);
  const { beside = [] } = await check(ports, fetched, options);
  return { blob: fetched.blob, bytes: inMemory(), broughtMore: beside.some(({ purl }) => catalog.current('stored', purl) === undefined) };
}

/** The newest document first; the file may have left the index since it was wanted, or never have been in it. */
export async function findArtifact(ports: StorePorts, { purl, digests, path }: WantedArtifact, sighted: Sighted | undefined): Promise<FoundArtifact> {
  const isWanted = (listed: UpstreamArtifact) => listed.purl === purl && digestsAgree(listed.digests, digests) !== false;
  const atPath = path === undefined ? undefined : sighted?.document.fileAt?.(path);
  const seen = atPath !== undefined && isWanted(atPath) ? atPath : sighted?.document.artifacts.find(isWanted);
  if (seen !== undefined) return { artifact: seen, listing: 'listed' };
  for (const fact of ports.catalog.ofPackage('observed', packageOf(purl), { history: true }).toReversed()) {
    const found = (await ports.documents.of(fact)).artifacts.find(isWanted);
    if (found !== undefined) return { artifact: found, listing: 'listed' };
  }
  const unlisted = ports.ecosystem.index.unlisted?.(ports.upstreamBase, packageOf(purl), purlParts(purl).version ?? '')?.find(isWanted);
  if (unlisted !== undefined) return { artifact: unlisted, listing: 'unlisted' };
  throw new JobError('later', `store ${purl}: upstream's index doesn't list it with ${describe(digests)}`);
}

/** What the ecosystem checks beyond digests of the bytes. */
async function check(
  ports: StorePorts,
  { artifact, read }: FetchedArtifact,
  { signal, isSilent = false }: Pick<RecordOptions, 'signal' | 'isSilent'>,
): Promise<Checked> {
  const { ecosystem, settings, upstreamBase } = ports;
  const asked = isSilent ? { upstreamBase, fetch: async () => undefined } : askUpstream(ports, signal);
  try {
    return (await ecosystem.check?.({ artifact, settings, read, held: heldFiles(ports), ...asked })) ?? { evidence: [] };
  } catch (cause) {
    throw toJobError(artifact, cause);
  }
}

/** Where the store knew the bytes by their sha256, nobody looked at what else the index says of them. */
function provenDigests({ digests }: UpstreamArtifact, { sha256 }: StoredBlob): Digests {
  return digests.sha256 === undefined ? { ...digests, sha256 } : { sha256 };
}

/** What a lock says of the bytes holds as well, also by algorithms that upstream's index doesn't use. */
function confirmWanted(wanted: WantedArtifact, artifact: UpstreamArtifact, found: Digests): void {
  if (digestsAgree(wanted.digests, { ...found, ...artifact.digests }) === false)
    throw new JobError('later', `fetch ${wanted.purl} from ${artifact.url}: the lock says ${describe(wanted.digests)}, the file has ${describe(found)}`);
}

function describe(digests: Digests): string {
  return Object.entries(digests)
    .map(([name, digest]) => `${name} ${digest}`)
    .join(', ');
}

/** Files that stand for themselves: the same ones come with many artifacts, and are recorded once. */
async function besideFacts(ports: StorePorts, { beside = [] }: Checked): Promise<readonly ComputedFact[]> {
  const total = beside.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total > MAX_BESIDE_BYTES) throw new JobError('later', `the checks brought ${total} bytes along, more than ${MAX_BESIDE_BYTES}`);
  const facts: ComputedFact[] = [];
  for (const { purl, path, bytes } of beside) {
    if (ports.catalog.current('stored', purl) !== undefined) continue;
    const blob = await ports.blobs.put(bytes, { maxBytes: bytes.length });
    const body = { sha256: blob.sha256, sizeBytes: blob.sizeBytes, path, evidence: [], support: true };
    facts.push({ kind: 'stored', subject: purl, inputs: [blob.sha256], body });
  }
  return facts;
}

async function readDeclared({ ecosystem }: StorePorts, { artifact, blob, read }: FetchedArtifact): Promise<Declared> {
  return blob.sizeBytes > MAX_READ_BYTES ? {} : await ecosystem.declared(artifact, await read(MAX_READ_BYTES));
}

/** A companion that can't be had is said in the evidence and costs nothing else. */
async function fetchCompanions(
  ports: StorePorts,
  artifact: UpstreamArtifact,
  signal: AbortSignal | undefined,
): Promise<{ readonly stored: Record<string, Sha256>; readonly evidence: readonly Evidence[] }> {
  const stored: Record<string, Sha256> = {};
  const evidence: Evidence[] = [];
  for (const { name, url, accept } of artifact.companions) {
    try {
      const response = await ports.upstream.open({ url, accept, maxBytes: MAX_COMPANION_BYTES, ...(signal === undefined ? {} : { signal }) });
      if (response.status === 'ok') stored[name] = (await ports.blobs.put(response.body, { maxBytes: MAX_COMPANION_BYTES })).sha256;
      else evidence.push({ check: `${name}-document`, state: 'unchecked', why: 'listed by the index, but not there' });
    } catch (cause) {
      if (!(cause instanceof UpstreamError)) throw cause;
      evidence.push({ check: `${name}-document`, state: 'unchecked', why: `could not be fetched: ${cause.code}` });
    }
  }
  return { stored, evidence };
}

function storedFact(artifact: UpstreamArtifact, blob: StoredBlob, more: Readonly<Record<string, Json>>): ComputedFact {
  return {
    kind: 'stored',
    subject: artifact.purl,
    inputs: [blob.sha256],
    body: {
      sha256: blob.sha256,
      sizeBytes: blob.sizeBytes,
      path: artifact.path,
      ...more,
    },
  };
}
