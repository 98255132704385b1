import { EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type StoredBlob, StoreError, UpstreamError } from '@granary/contract/ports';
import type { SyncPorts } from './sync-ports.ts';

/** No artifact is larger; beyond, it isn't taken in. */
const MAX_ARTIFACT_BYTES = 4 * 2 ** 30;
/** What is no larger is looked at as it came, without reading it again. */
const KEPT_BYTES = 2 ** 20;

export interface FoundArtifact {
  readonly artifact: UpstreamArtifact;
  /** `unlisted`: upstream never said that it has it. */
  readonly listing: 'listed' | 'unlisted';
}
/** Sees the bytes of an artifact before anything is known of them. What it throws ends the fetch, and is thrown as it is. */
interface FetchWatcher {
  /** Upstream answers; without a size where nobody states one. Not called where the bytes are in the store already. */
  begin(sizeBytes: number | undefined): Promise<void>;
  bytes(chunk: Uint8Array): Promise<void>;
}
export interface FetchOptions {
  readonly signal?: AbortSignal;
  readonly maxBytes?: number;
  readonly watcher?: FetchWatcher;
}
/** An artifact whose bytes are there: in the store, or in memory where {@link holdSmall} keeps them. */
export interface FetchedArtifact {
  readonly artifact: UpstreamArtifact;
  readonly blob: StoredBlob;
  /** All of its bytes. Throws StoreError `too-large`, or `unreachable` where they have gone from the store. */
  readonly read: (maxBytes: number) => Promise<Uint8Array>;
}

/** Fetches an artifact into `blobs` and checks every digest that upstream states, unless it is there. Throws JobError as `storeArtifact` does. */
export async function fetchArtifact(
  ports: Pick<SyncPorts, 'blobs' | 'upstream' | 'addressOf'>,
  { artifact, listing }: FoundArtifact,
  { signal, watcher, maxBytes: most = MAX_ARTIFACT_BYTES }: FetchOptions,
): Promise<FetchedArtifact> {
  const { sha256 } = artifact.digests;
  const maxBytes = Math.min(artifact.sizeBytes ?? artifact.maxBytes ?? MAX_ARTIFACT_BYTES, MAX_ARTIFACT_BYTES, most);
  const held = sha256 === undefined ? undefined : await ports.blobs.size(sha256);
  if (sha256 !== undefined && held !== undefined) return heldArtifact(ports, artifact, { sha256, sizeBytes: held });
  let from = artifact;
  try {
    from = { ...artifact, url: await ports.addressOf(artifact) };
    const response = await ports.upstream.open({
      url: from.url,
      maxBytes,
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.status !== 'ok') throw notThere({ artifact, listing }, from.url);
    const { h1: _, ...digests } = artifact.digests;
    const { body, sizeBytes = artifact.sizeBytes } = response;
    const kept = keepSmall();
    const blob = await ports.blobs.put(watched(body, sizeBytes, { watcher, keep: kept.add }), {
      digests,
      maxBytes,
      ...(artifact.sizeBytes === undefined ? {} : { sizeBytes: artifact.sizeBytes }),
    });
    return heldArtifact(ports, artifact, blob, kept.bytes());
  } catch (cause) {
    throw toJobError(from, cause);
  }
}

/** What an ecosystem or a store says of bytes from upstream, as the failure of a job. Anything else is given back as it is. */
export function toJobError(artifact: UpstreamArtifact, cause: unknown): unknown {
  const what = (error: Error) => `fetch ${artifact.purl} from ${artifact.url}: ${error.message}`;
  if (cause instanceof StoreError && (cause.code === 'digest-mismatch' || cause.code === 'too-large')) return new JobError('later', what(cause), { cause });
  if (cause instanceof EcosystemError) return new JobError('later', what(cause), { cause });
  if (cause instanceof UpstreamError)
    return new JobError(cause.code === 'refused-address' || cause.code === 'too-large' ? 'later' : 'at-once', what(cause), { cause });
  return cause;
}

/** Of which the bytes are there; `kept` are all of them, in memory. */
export function heldArtifact({ blobs }: Pick<SyncPorts, 'blobs'>, artifact: UpstreamArtifact, blob: StoredBlob, kept?: Uint8Array): FetchedArtifact {
  return {
    artifact,
    blob,
    async read(maxBytes) {
      if (kept !== undefined && kept.length > maxBytes) throw new StoreError('too-large', `read ${artifact.purl}: ${kept.length} bytes, more than ${maxBytes}`);
      if (kept !== undefined) return kept;
      const bytes = await blobs.read(blob.sha256, maxBytes);
      if (bytes === undefined) throw new StoreError('unreachable', `read ${artifact.purl}: its bytes are not in the store`);
      return bytes;
    },
  };
}

/** Of what upstream lists it may get the file yet; what it neither lists nor has, whoever wants it has made up or upstream has withdrawn. */
function notThere({ artifact: { purl }, listing }: FoundArtifact, url: string): JobError {
  return listing === 'listed'
    ? new JobError('later', `fetch ${purl}: upstream lists ${url} but doesn't have it`)
    : new JobError('never', `fetch ${purl}: upstream has no such version: it neither lists it nor has ${url}; who names it must name another`);
}

interface Onlookers {
  readonly watcher: FetchWatcher | undefined;
  readonly keep: (chunk: Uint8Array) => void;
}

async function* watched(body: AsyncIterable<Uint8Array>, sizeBytes: number | undefined, { watcher, keep }: Onlookers): AsyncIterable<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    await watcher?.begin(sizeBytes);
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) {
      await watcher?.bytes(chunk);
      keep(chunk);
      yield chunk;
    }
  } finally {
    // Also where nobody came to read it.
    await chunks.return?.();
  }
}

/** Chunks until they are too much. */
function keepSmall() {
  let chunks: Uint8Array[] | undefined = [];
  let sizeBytes = 0;
  return {
    add(chunk: Uint8Array): void {
      sizeBytes += chunk.length;
      if (sizeBytes > KEPT_BYTES) chunks = undefined;
      chunks?.push(chunk);
    },
    bytes: (): Uint8Array | undefined => (chunks === undefined ? undefined : Buffer.concat(chunks)),
  };
}
