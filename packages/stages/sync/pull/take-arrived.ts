import { measureBlob } from '@granary/contract/blob';
import type { UpstreamArtifact } from '@granary/contract/ecosystem';
import { JobError, type StoredBlob, StoreError } from '@granary/contract/ports';
import { type Digests, type Purl, packageOf, type Sha256, StoredBody } from '@granary/core/model';
import { type FetchedArtifact, heldArtifact, toJobError } from '../fetch-artifact.ts';
import type { Sighted } from '../sighting.ts';
import { findArtifact, type RecordOptions, recordArtifact, type StorePorts, type WantedArtifact } from '../store-artifact.ts';

/** A file that came by its release alone, whose digests were found in the bytes. */
export interface ArrivedArtifact {
  /** By what upstream said of the release. */
  readonly artifact: UpstreamArtifact;
  /** In the store. */
  readonly blob: StoredBlob;
  /** All of it, where it needn't be read from there. */
  readonly bytes?: Uint8Array | undefined;
}
export interface ArrivedOptions {
  readonly signal: AbortSignal;
  /** Its package's document, where that may not be on record yet. */
  readonly sighted?: Sighted | undefined;
  /** Nothing can be heard of upstream. */
  readonly isSilent: boolean;
  /** It was waited for long enough. */
  readonly isOld: boolean;
}

/**
 * Takes in what came, without fetching it again: by the document of its package, or by what was said of its release where that says otherwise. False where
 * it says nothing of the file (yet), unless it was waited for. Throws JobError: `never` where the name is taken by other bytes.
 */
export async function takeArrived(ports: StorePorts, arrived: ArrivedArtifact, { isSilent, isOld, ...options }: ArrivedOptions): Promise<boolean> {
  const { artifact, blob, bytes } = arrived;
  if (isOnRecord(ports, arrived)) return true;
  const wanted: WantedArtifact = { purl: artifact.purl, digests: { ...artifact.digests, sha256: blob.sha256 }, path: artifact.path };
  const listed = isSilent ? undefined : await findListed(ports, wanted, options.sighted);
  if (listed !== undefined && (await isTakenAs(ports, arrived, { ...options, wanted, listed }))) return true;
  if (listed === undefined && !isOld && !(await saysOtherwise(ports, wanted, options.sighted))) return false;
  await recordArtifact(ports, heldArtifact(ports, artifact, blob, bytes), { ...options, wanted, isSilent });
  return true;
}

/** False where the bytes, or their signatures, are not as the document of the package has them. */
async function isTakenAs(ports: StorePorts, arrived: ArrivedArtifact, { listed, ...options }: RecordOptions & { readonly listed: UpstreamArtifact }) {
  try {
    await recordArtifact(ports, await proven(ports, listed, arrived), options);
    return true;
  } catch (error) {
    if (isFinal(error)) return false;
    throw error;
  }
}

/** Which bytes are held under a name. */
export function recordedAs({ catalog }: Pick<StorePorts, 'catalog'>, purl: Purl): Sha256 | undefined {
  const stored = catalog.current('stored', purl);
  return stored === undefined ? undefined : StoredBody.parse(stored.entry.body).sha256;
}

function isOnRecord(ports: StorePorts, { artifact: { purl }, blob }: ArrivedArtifact): boolean {
  const recorded = recordedAs(ports, purl);
  if (recorded === undefined || recorded === blob.sha256) return recorded !== undefined;
  throw new JobError('never', `take in ${purl}: other bytes are held under its name, and the first ones stay`);
}

async function findListed(ports: StorePorts, wanted: WantedArtifact, sighted: Sighted | undefined): Promise<UpstreamArtifact | undefined> {
  try {
    return (await findArtifact(ports, wanted, sighted)).artifact;
  } catch (error) {
    if (isFinal(error)) return undefined;
    throw error;
  }
}

/** The newest document has other digests under its name. */
async function saysOtherwise({ documents }: StorePorts, { purl }: WantedArtifact, sighted: Sighted | undefined): Promise<boolean> {
  const newest = sighted?.document ?? (await documents.current(packageOf(purl)));
  return newest?.artifacts.some((listed) => listed.purl === purl) ?? false;
}

/** Trying again brings nothing soon. */
function isFinal(error: unknown): error is JobError {
  return error instanceof JobError && error.retry !== 'at-once';
}

/** The bytes are read again where the document states of them what the release didn't. */
async function proven(ports: StorePorts, listed: UpstreamArtifact, { artifact, blob, bytes }: ArrivedArtifact): Promise<FetchedArtifact> {
  const found: Digests = { ...artifact.digests, sha256: blob.sha256 };
  const isProven = Object.entries(listed.digests).every(([name, digest]) => found[name as keyof Digests] === digest);
  if (!isProven) await measureAgain(ports, listed, blob);
  return heldArtifact(ports, listed, blob, bytes);
}

async function measureAgain({ blobs }: StorePorts, listed: UpstreamArtifact, { sha256, sizeBytes }: StoredBlob): Promise<void> {
  const { h1: _, ...digests } = listed.digests;
  const measured = measureBlob({ digests, maxBytes: sizeBytes });
  const opened = await blobs.open(sha256);
  if (opened === undefined) throw new StoreError('unreachable', `read ${listed.purl}: its bytes are not in the store`);
  try {
    for await (const chunk of opened.stream) measured.update(chunk);
    measured.confirm();
  } catch (cause) {
    throw toJobError(listed, cause);
  }
}
