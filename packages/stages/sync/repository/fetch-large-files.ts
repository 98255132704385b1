import { randomInt } from 'node:crypto';
import { heldLargeFiles } from '@granary/contract/repository';
import { BATCH_FILES, type FileAnswer, type LargeFile } from '@granary/core/lfs';
import { type Purl, purlParts, toPurl } from '@granary/core/model';
import { askForLargeFiles } from './ask-for-large-files.ts';
import type { MissingFiles } from './outside-body.ts';
import { largeFileFact } from './repository-facts.ts';
import type { RepositoryPorts } from './repository-ports.ts';
import { type WhyMissing, whyMissing } from './why-missing.ts';

const FILES_AT_ONCE = 4;
/** Of one look: files that didn't come, or came as something else. Whoever goes on like that isn't asked further. */
const MAX_FAULTS = 8;
/** Nothing, or nearly nothing, for so long. */
const STALL_MS = 60_000;

export interface LargeFilesWanted {
  readonly repository: Purl;
  /** Where it answers git. */
  readonly url: string;
  readonly files: readonly LargeFile[];
}
export interface LargeFilesLook {
  readonly facts: number;
  readonly missing: MissingFiles;
}
interface Progress {
  facts: number;
  faults: number;
  readonly missing: Map<WhyMissing, number>;
}

/** Brings those that aren't held, as far as there is room and upstream gives them. What doesn't come is counted by reason, and fails nothing. Throws StoreError, and the signal's reason. */
export async function fetchLargeFiles(ports: RepositoryPorts, wanted: LargeFilesWanted, signal?: AbortSignal): Promise<LargeFilesLook> {
  const progress: Progress = { facts: 0, faults: 0, missing: new Map() };
  const files = await leftToFetch(ports, wanted, progress);
  const deadline = AbortSignal.timeout(ports.largeFiles.timeoutMs);
  const ends = { caller: signal, any: AbortSignal.any([deadline, ...(signal === undefined ? [] : [signal])]) };
  // Begun elsewhere each time: those that fail first don't keep the others from their turn for ever.
  const start = files.length === 0 ? 0 : randomInt(files.length);
  const inTurn = [...files.slice(start), ...files.slice(0, start)];
  for (let at = 0; at < inTurn.length; at += BATCH_FILES) {
    const batch = inTurn.slice(at, at + BATCH_FILES);
    const why = await fetchBatch(ports, { ...wanted, files: batch }, { progress, ends });
    if (why === undefined) continue;
    count(progress, why, inTurn.length - at);
    break;
  }
  return { facts: progress.facts, missing: Object.fromEntries([...progress.missing].sort()) };
}

interface Ends {
  readonly caller: AbortSignal | undefined;
  /** The caller's, or the end of the time for one look. */
  readonly any: AbortSignal;
}
interface Under {
  readonly progress: Progress;
  readonly ends: Ends;
}

function count({ missing }: Progress, why: WhyMissing, files = 1): void {
  missing.set(why, (missing.get(why) ?? 0) + files);
}

/** Without those that are held, here or in another repository, and those that there is no room for. */
async function leftToFetch(ports: RepositoryPorts, { repository, files }: LargeFilesWanted, progress: Progress): Promise<readonly LargeFile[]> {
  const { catalog, sink } = ports;
  const { maxObjectBytes, maxTotalBytes } = ports.largeFiles;
  const held = heldLargeFiles(catalog, repository);
  let bytes = [...held.values()].reduce((sum, size) => sum + size, 0);
  const left: LargeFile[] = [];
  for (const file of files) {
    const size = held.get(file.oid);
    if (size === file.sizeBytes) continue;
    if (size !== undefined) count(progress, 'wrong-bytes');
    else if (file.sizeBytes > maxObjectBytes) count(progress, 'too-large');
    else if (bytes + file.sizeBytes > maxTotalBytes) count(progress, 'no-room');
    else {
      bytes += file.sizeBytes;
      if (!isHeldElsewhere(catalog, file)) left.push(file);
      else {
        await sink.submit([largeFileFact(repository, file)]);
        progress.facts += 1;
      }
    }
  }
  return left;
}

/** As a large file of another repository: forks share them. */
function isHeldElsewhere(catalog: RepositoryPorts['catalog'], { oid, sizeBytes }: LargeFile): boolean {
  return catalog.ofDigest('stored', oid).some(({ entry }) => {
    const { type, fileName = '' } = purlParts(toPurl(entry.subject));
    return type === 'git' && fileName.startsWith('lfs-') && entry.body['sizeBytes'] === sizeBytes;
  });
}

/** Why neither this batch nor what follows was asked for; undefined where it was. */
async function fetchBatch(ports: RepositoryPorts, { repository, url, files }: LargeFilesWanted, { progress, ends }: Under): Promise<WhyMissing | undefined> {
  if (progress.faults >= MAX_FAULTS || isOver(ends)) return 'not-asked';
  const look = await askForLargeFiles(ports, { url, files }, ends.any).catch((error: unknown) => {
    if (isOver(ends)) return { type: 'failed', why: 'not-asked' } as const;
    throw error;
  });
  if (look.type === 'failed') return look.why;
  const waiting = files.values();
  const lane = async () => {
    for (const file of waiting) {
      const outcome = progress.faults >= MAX_FAULTS || isOver(ends) ? 'not-asked' : await fetchOne(ports, { ...look, repository, file }, ends);
      if (outcome === 'stored') progress.facts += 1;
      else count(progress, outcome);
      if (outcome === 'wrong-bytes' || outcome === 'unreachable') progress.faults += 1;
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, lane));
  return undefined;
}

/** The time for one look is over; throws where the caller doesn't want it any more. */
function isOver({ caller, any }: Ends): boolean {
  caller?.throwIfAborted();
  return any.aborted;
}

interface Told {
  readonly repository: Purl;
  readonly file: LargeFile;
  readonly files: ReadonlyMap<string, FileAnswer>;
  readonly url: string;
}

async function fetchOne({ upstream, blobs, sink }: RepositoryPorts, { repository, file, files, url }: Told, ends: Ends): Promise<WhyMissing | 'stored'> {
  const answer = files.get(file.oid) ?? { type: 'absent' };
  if (answer.type !== 'here') return answer.type;
  const href = URL.parse(answer.href);
  // As a redirect is, and nothing of it is ever printed: it may be a key by itself.
  if (href === null || (new URL(url).protocol === 'https:' && href.protocol !== 'https:')) return 'refused';
  const { oid, sizeBytes } = file;
  try {
    const response = await upstream.open({ url: href.href, originHeaders: answer.headers, maxBytes: sizeBytes, stallMs: STALL_MS, signal: ends.any });
    if (response.status !== 'ok') return 'absent';
    await blobs.put(response.body, { digests: { sha256: oid }, sizeBytes, maxBytes: sizeBytes });
  } catch (error) {
    if (isOver(ends)) return 'not-asked';
    const why = whyMissing(error);
    if (why === undefined) throw error;
    return why;
  }
  // At once: what comes after may go wrong, and this needn't come again.
  await sink.submit([largeFileFact(repository, file)]);
  return 'stored';
}
