import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, type PackLimits, RepositoryError, type TakenPack } from '@granary/contract/ports';
import { makeBareRepository } from './bare-repository.ts';
import { feed } from './feed.ts';
import { collectFindings, STRICT_ARGUMENT } from './fsck-policy.ts';
import { gitFault } from './git-fault.ts';
import type { GitEnd, GitRunner } from './git-process.ts';
import type { HeldFolder } from './held-folder.ts';
import { objectsHere } from './look-up-objects.ts';
import type { Place } from './sandbox-arguments.ts';
import type { ScratchFolders } from './scratch-folders.ts';

export interface PackTaker {
  readonly runner: GitRunner;
  readonly scratch: ScratchFolders;
  readonly blobs: BlobStore;
}
export interface ComingPack {
  readonly pack: AsyncIterable<Uint8Array>;
  readonly tips: readonly string[];
  readonly limits: PackLimits & { readonly signal?: AbortSignal };
}

const WHAT = 'take pack';

/**
 * Indexes a pack in a scratch repository that borrows what is held. Every object that an object in it names must be there or held (`--strict`), and what is
 * held came the same way: so everything that the tips reach is there when the tips are, without a walk through all history.
 */
export async function takePack({ runner, scratch, blobs }: PackTaker, folder: HeldFolder, coming: ComingPack): Promise<TakenPack> {
  return await scratch.use(async (scratchFolder) => {
    await makeBareRepository(scratchFolder, { objectFormat: folder.objectFormat, borrows: '/held' });
    const places: readonly Place[] = [
      { folder: scratchFolder, at: '/repo', access: 'write' },
      { folder: folder.objects, at: '/held', access: 'read' },
    ];
    const indexed = await indexPack(runner, places, coming);
    await refuseMissingTips({ runner, places, signal: coming.limits.signal }, coming.tips);
    const stem = join(scratchFolder, 'objects', 'pack', `pack-${indexed.checksum}`);
    const files = { pack: `${stem}.pack`, index: `${stem}.idx` };
    const { size: sizeBytes } = await stat(files.pack);
    if (sizeBytes > coming.limits.maxBytes)
      throw new RepositoryError('too-large', `${WHAT}: ${sizeBytes} bytes once it is complete, ${coming.limits.maxBytes} are allowed`);
    const objects = await objectsIn(files.pack);
    // The index first: a pack in the store is one that can be read.
    const index = await blobs.put(createReadStream(files.index), { maxBytes: indexBytes(objects) });
    const pack = await blobs.put(createReadStream(files.pack), { maxBytes: coming.limits.maxBytes, sizeBytes });
    await folder.link(pack.sha256, files);
    return { pack: pack.sha256, index: index.sha256, sizeBytes, objects, findings: indexed.findings, findingsTotal: indexed.findingsTotal };
  });
}

async function indexPack(runner: GitRunner, places: readonly Place[], { pack, limits }: ComingPack) {
  const fsck = collectFindings();
  const process = runner.start({
    args: ['index-pack', '--stdin', '--fix-thin', STRICT_ARGUMENT, `--max-input-size=${limits.maxBytes}`],
    places,
    timeoutMs: limits.timeoutMs,
    // An index may be larger than its pack: a small object takes some 10 bytes there, and 40 here.
    limits: { fileBytes: 4 * limits.maxBytes + 65_536, cpuSeconds: cpuSeconds(limits.timeoutMs) },
    onStderr: fsck.onLine,
    ...(limits.signal === undefined ? {} : { signal: limits.signal }),
  });
  const printed = textOf(process.stdout);
  try {
    await feed(pack, process.stdin, (totalBytes) => {
      if (totalBytes > limits.maxBytes) throw new RepositoryError('too-large', `${WHAT}: more than the ${limits.maxBytes} bytes that are allowed`);
    });
  } catch (error) {
    process.stop('abort');
    await Promise.all([process.ended, printed]);
    throw error;
  }
  const end = await process.ended;
  if (end.status !== 0 || end.stopped !== undefined) throw refusal(end, fsck.refusal());
  const checksum = /^(?:pack|keep)\t([0-9a-f]{40}|[0-9a-f]{64})$/m.exec(await printed)?.[1];
  if (checksum === undefined) throw new RepositoryError('malformed', `${WHAT}: git didn't say under which name it lies`);
  return { checksum, findings: fsck.findings, findingsTotal: fsck.total() };
}

function refusal(end: GitEnd, fsck: string | undefined): RepositoryError {
  if (end.stopped !== undefined) return gitFault(WHAT, end);
  if (/pack exceeds maximum allowed size/.test(end.stderr)) return new RepositoryError('too-large', `${WHAT}: more bytes than are allowed`);
  if (fsck !== undefined && /fsck error/.test(end.stderr)) return new RepositoryError('fsck', `${WHAT}: git fsck refuses ${fsck}`);
  const missing = /did not receive expected object [0-9a-f]+|pack has \d+ unresolved deltas?/.exec(end.stderr)?.[0];
  if (missing !== undefined) return new RepositoryError('incomplete', `${WHAT}: what it refers to is neither in it nor held: ${missing}`);
  return gitFault(WHAT, end);
}

async function refuseMissingTips(lookUp: Parameters<typeof objectsHere>[0], tips: readonly string[]): Promise<void> {
  const here = await objectsHere(lookUp, tips);
  const missing = tips.filter((tip) => !here.has(tip));
  if (missing.length > 0)
    throw new RepositoryError('incomplete', `${WHAT}: ${missing.length} of ${tips.length} tips are neither in it nor held, such as ${missing[0]}`);
}

/** gitformat-pack(5): the header's third word. */
async function objectsIn(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.readUInt32BE(8);
  } finally {
    await file.close();
  }
}

/** gitformat-pack(5), version 2 of the index: at most 48 bytes an object, 256 words of fan-out, header and two checksums. */
function indexBytes(objects: number): number {
  return 8 + 1024 + 48 * objects + 64;
}

/** More than one thread may work for the whole of the time. */
function cpuSeconds(timeoutMs: number): number {
  return Math.ceil((4 * timeoutMs) / 1000) + 1;
}

/** Its last line is what counts. */
const KEPT_CHARACTERS = 1000;

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream) text = (text + String(chunk)).slice(-KEPT_CHARACTERS);
  } catch {
    // Destroyed when the process was stopped, which its end tells.
  }
  return text;
}
