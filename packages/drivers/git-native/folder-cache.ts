import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore, StoredPack } from '@granary/contract/ports';
import type { ObjectFormat } from '@granary/core/git';
import { sha256 } from '@granary/core/model';
import { onDisk, tellsDamage } from './git-fault.ts';
import { type HeldFolder, openHeldFolder } from './held-folder.ts';
import { readManifest } from './held-manifest.ts';
import type { ScratchFolders } from './scratch-folders.ts';

export interface RepositoryKey {
  readonly name: string;
  readonly objectFormat: ObjectFormat;
}
interface FolderUse {
  readonly packs: readonly StoredPack[];
  readonly signal?: AbortSignal | undefined;
}
export interface FolderCache {
  /** Runs `work` on a folder that holds the packs and stays while `work` runs. */
  use<T>(key: RepositoryKey, use: FolderUse, work: (folder: HeldFolder) => Promise<T>): Promise<T>;
}
export interface FolderCacheOptions {
  readonly root: string;
  readonly maxBytes: number;
  readonly blobs: BlobStore;
  readonly scratch: ScratchFolders;
}

interface Entry {
  readonly path: string;
  opened: Promise<HeldFolder> | undefined;
  /** What it was when this process began, until it is opened. */
  bytes: number;
  users: number;
  lastUse: number;
  isDamaged: boolean;
}

/**
 * Keeps the folders that were asked for last, below `maxBytes` together; one in use is never removed, however large. One that git finds damaged goes
 * when nobody uses it any more, and is made again.
 */
export async function openFolderCache(options: FolderCacheOptions): Promise<FolderCache> {
  const { root, blobs, scratch } = options;
  const entries = await findFolders(options);
  /** Who comes back while a folder is taken away waits for that. */
  const leaving = new Map<string, Promise<void>>();
  let uses = entries.size;

  async function makeRoom(extraBytes: number): Promise<void> {
    const sizes = await Promise.all([...entries].map(async ([id, entry]) => ({ id, entry, bytes: await bytesOf(entry) })));
    let total = sizes.reduce((sum, { bytes }) => sum + bytes, extraBytes);
    for (const { id, entry, bytes } of sizes.sort((a, b) => a.entry.lastUse - b.entry.lastUse)) {
      if (total <= options.maxBytes) return;
      if (entry.users > 0) continue;
      total -= bytes;
      await leave(id, entry);
    }
  }

  async function leave(id: string, entry: Entry): Promise<void> {
    if (entries.get(id) !== entry) return;
    entries.delete(id);
    const gone = scratch.discard(entry.path).finally(() => leaving.delete(id));
    leaving.set(id, gone);
    await gone;
  }

  return {
    async use({ name, objectFormat }, { packs, signal }, work) {
      // A name may be of any form and length; the folder's says only which.
      const id = sha256(JSON.stringify([objectFormat, name]));
      await leaving.get(id);
      const entry = entries.get(id) ?? { path: join(root, id), opened: undefined, bytes: 0, users: 0, lastUse: 0, isDamaged: false };
      entries.set(id, entry);
      entry.users += 1;
      uses += 1;
      entry.lastUse = uses;
      try {
        return await onDisk(`repository ${JSON.stringify(name.slice(0, 200))}`, async () => {
          const folder = await openEntry(options, entry, objectFormat);
          const missing = folder.missing(packs);
          if (missing.length > 0) await makeRoom(await storedBytes(blobs, missing));
          await folder.hold(packs, signal);
          return await work(folder);
        });
      } catch (error) {
        entry.isDamaged ||= tellsDamage(error);
        throw error;
      } finally {
        entry.users -= 1;
        if (entry.isDamaged && entry.users === 0) await leave(id, entry);
        await makeRoom(0);
      }
    },
  };
}

async function openEntry({ blobs, scratch }: FolderCacheOptions, entry: Entry, objectFormat: ObjectFormat): Promise<HeldFolder> {
  entry.opened ??= openHeldFolder({ path: entry.path, objectFormat, blobs, scratch });
  try {
    return await entry.opened;
  } catch (error) {
    entry.opened = undefined;
    throw error;
  }
}

async function bytesOf({ opened, bytes }: Entry): Promise<number> {
  const folder = await opened?.catch(() => undefined);
  return folder?.bytes() ?? bytes;
}

async function storedBytes(blobs: BlobStore, packs: readonly StoredPack[]): Promise<number> {
  let total = 0;
  for (const { pack, index } of packs) total += ((await blobs.size(pack)) ?? 0) + ((await blobs.size(index)) ?? 0);
  return total;
}

/** What an earlier process left, in the order in which it was used; what isn't whole goes. */
async function findFolders({ root, scratch }: FolderCacheOptions): Promise<Map<string, Entry>> {
  await mkdir(root, { recursive: true });
  const found: (readonly [string, Entry])[] = [];
  for (const id of await readdir(root)) {
    const path = join(root, id);
    const held = await readManifest(path);
    if (held === undefined) {
      await scratch.discard(path);
      continue;
    }
    const bytes = [...held.files.values()].reduce((sum, size) => sum + size, 0);
    found.push([id, { path, opened: undefined, bytes, users: 0, lastUse: (await stat(path)).mtimeMs, isDamaged: false }]);
  }
  const inOrder = found.sort(([, a], [, b]) => a.lastUse - b.lastUse);
  return new Map(inOrder.map(([id, entry], n) => [id, { ...entry, lastUse: n }]));
}
