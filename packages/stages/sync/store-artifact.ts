import type { Declared, UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type StoredBlob, StoreError, UpstreamError } from '@granary/contract/ports';
import type { ComputedFact, Evidence, Json, Purl, Sha256 } from '@granary/core/model';
import { packageOf } from '@granary/core/model';
import type { SyncPorts } from './sync-ports.ts';

/** No artifact is larger; beyond, it isn't taken in. */
const MAX_ARTIFACT_BYTES = 4 * 2 ** 30;
/** Larger ones are stored, but what they say of themselves isn't read. */
const MAX_READ_BYTES = 128 * 2 ** 20;
const MAX_COMPANION_BYTES = 4 * 2 ** 20;

/**
 * Takes one artifact in: fetched, checked against every digest upstream states, stored, and recorded with its evidence.
 * Throws JobError: `later` when upstream doesn't have it or has other bytes, `at-once` when it couldn't be reached.
 */
export async function storeArtifact(ports: SyncPorts, wanted: { readonly purl: Purl; readonly sha256: Sha256 }, signal?: AbortSignal): Promise<void> {
  const artifact = await findArtifact(ports, wanted);
  const blob = await fetchBlob(ports, artifact, signal);
  const declared = await readDeclared(ports, artifact, blob);
  const metadata = declared.metadata === undefined ? undefined : await ports.blobs.put(declared.metadata, { maxBytes: declared.metadata.length });
  const companions = await fetchCompanions(ports, artifact, signal);
  await ports.sink.submit([
    storedFact(artifact, blob, {
      ...(declared.licence === undefined ? {} : { licence: declared.licence }),
      ...(metadata === undefined ? {} : { metadata: metadata.sha256 }),
      ...(Object.keys(companions.stored).length === 0 ? {} : { companions: companions.stored }),
      evidence: [...artifact.evidence, ...companions.evidence].map((evidence): Json => ({ ...evidence })),
    }),
  ]);
}

/** The newest document first; the file may have left the index since it was wanted. */
async function findArtifact(ports: SyncPorts, wanted: { readonly purl: Purl; readonly sha256: Sha256 }): Promise<UpstreamArtifact> {
  const history = ports.catalog.ofPackage('observed', packageOf(wanted.purl), { history: true });
  for (const fact of history.toReversed()) {
    const document = await ports.documents.of(fact);
    const found = document.artifacts.find(({ purl, sha256 }) => purl === wanted.purl && sha256 === wanted.sha256);
    if (found !== undefined) return found;
  }
  throw new JobError('later', `store ${wanted.purl}: upstream's index doesn't list it with sha256 ${wanted.sha256}`);
}

async function fetchBlob(ports: SyncPorts, artifact: UpstreamArtifact, signal: AbortSignal | undefined): Promise<StoredBlob> {
  const held = await ports.blobs.size(artifact.sha256);
  if (held !== undefined) return { sha256: artifact.sha256, sizeBytes: held };
  try {
    const response = await ports.upstream.open({
      url: artifact.url,
      maxBytes: artifact.sizeBytes ?? MAX_ARTIFACT_BYTES,
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.status !== 'ok') throw new JobError('later', `fetch ${artifact.purl}: upstream lists ${artifact.url} but doesn't have it`);
    return await ports.blobs.put(response.body, {
      digests: artifact.digests,
      maxBytes: artifact.sizeBytes ?? MAX_ARTIFACT_BYTES,
      ...(artifact.sizeBytes === undefined ? {} : { sizeBytes: artifact.sizeBytes }),
    });
  } catch (cause) {
    throw toJobError(artifact, cause);
  }
}

function toJobError(artifact: UpstreamArtifact, cause: unknown): unknown {
  const what = (error: Error) => `fetch ${artifact.purl} from ${artifact.url}: ${error.message}`;
  if (cause instanceof StoreError && (cause.code === 'digest-mismatch' || cause.code === 'too-large')) return new JobError('later', what(cause), { cause });
  if (cause instanceof UpstreamError)
    return new JobError(cause.code === 'refused-address' || cause.code === 'too-large' ? 'later' : 'at-once', what(cause), { cause });
  return cause;
}

async function readDeclared(ports: SyncPorts, artifact: UpstreamArtifact, blob: StoredBlob): Promise<Declared> {
  if (blob.sizeBytes > MAX_READ_BYTES) return {};
  const bytes = await ports.blobs.read(blob.sha256, MAX_READ_BYTES);
  return bytes === undefined ? {} : await ports.ecosystem.declared(artifact, bytes);
}

/** A companion that can't be had is said in the evidence and costs nothing else. */
async function fetchCompanions(
  ports: SyncPorts,
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
      ...(artifact.publishedAt === undefined ? {} : { publishedAt: artifact.publishedAt }),
      ...more,
    },
  };
}
