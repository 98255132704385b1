import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { measureBlob } from '@granary/contract/blob';
import { type BlobStore, RepositoryError, type StoredPack } from '@granary/contract/ports';
import type { ObjectFormat } from '@granary/core/git';
import type { Sha256 } from '@granary/core/model';
import { makeBareRepository } from './bare-repository.ts';
import { type HeldManifest, readManifest, writeManifest } from './held-manifest.ts';
import type { ScratchFolders } from './scratch-folders.ts';

/** One repository's objects in a bare repository without refs. Its methods that change it may be called at the same time and run one after another. */
export interface HeldFolder {
  readonly path: string;
  readonly objects: string;
  readonly objectFormat: ObjectFormat;
  /** On disk, as of the last change. */
  bytes(): number;
  /** Changes whenever the packs do. */
  generation(): number;
  missing(packs: readonly StoredPack[]): readonly StoredPack[];
  /** Reads from the store what isn't here. Throws RepositoryError `incomplete` for what the store hasn't either. */
  hold(packs: readonly StoredPack[], signal?: AbortSignal): Promise<void>;
  /** Moves a pack and its index in. */
  link(pack: Sha256, files: { readonly pack: string; readonly index: string }): Promise<void>;
  /** Runs `change`, which may replace packs by others with the same objects. */
  rearrange<T>(change: () => Promise<T>): Promise<T>;
}

export interface HeldFolderOptions {
  readonly path: string;
  readonly objectFormat: ObjectFormat;
  readonly blobs: BlobStore;
  readonly scratch: ScratchFolders;
}

/** Opens the folder, or makes it: a folder that lacks a file, or in which one has another size, is made again from the store. */
export async function openHeldFolder(options: HeldFolderOptions): Promise<HeldFolder> {
  const { path, objectFormat } = options;
  const found = await readWhole(path);
  if (found === undefined) await rm(path, { recursive: true, force: true });
  await makeBareRepository(path, { objectFormat });
  const held = found ?? (await recorded(path, new Set()));
  await removeStrangers(packFolder(path), held);
  const now = new Date();
  await utimes(path, now, now);
  return heldFolder(options, new Set(held.packs), await sizeOf(join(path, 'objects')));
}

function heldFolder(options: HeldFolderOptions, packs: Set<Sha256>, bytesFound: number): HeldFolder {
  const { path, objectFormat } = options;
  const objects = join(path, 'objects');
  const oneAfterAnother = inTurn();
  let bytes = bytesFound;
  let generation = 0;
  const missing = (wanted: readonly StoredPack[]): readonly StoredPack[] => wanted.filter(({ pack }) => !packs.has(pack));

  /** What was done is recorded, also when it ended half-way. */
  const change = <T>(step: () => Promise<T>): Promise<T> =>
    oneAfterAnother(async () => {
      try {
        return await step();
      } finally {
        await recorded(path, packs);
        bytes = await sizeOf(objects);
        generation += 1;
      }
    });

  return {
    path,
    objects,
    objectFormat,
    bytes: () => bytes,
    generation: () => generation,
    missing,
    async hold(wanted, signal) {
      if (missing(wanted).length === 0) return;
      await change(async () => {
        for (const stored of missing(wanted)) {
          await download(options, { stored, signal });
          packs.add(stored.pack);
        }
      });
    },
    link: (pack, files) =>
      change(async () => {
        if (packs.has(pack)) return;
        await moveIn(path, pack, files);
        packs.add(pack);
      }),
    rearrange: change,
  };
}

interface Wanted {
  readonly stored: StoredPack;
  readonly signal: AbortSignal | undefined;
}

async function download({ path, blobs, scratch }: HeldFolderOptions, { stored, signal }: Wanted): Promise<void> {
  await scratch.use(async (folder) => {
    for (const [digest, name] of [
      [stored.pack, 'pack'],
      [stored.index, 'idx'],
    ] as const) {
      const blob = await blobs.open(digest);
      if (blob === undefined) throw new RepositoryError('incomplete', `open repository: the store has no blob ${digest}, which is recorded as its ${name}`);
      const measured = measureBlob({ digests: { sha256: digest }, maxBytes: blob.sizeBytes });
      const checked = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of blob.stream) {
          measured.update(chunk);
          yield chunk;
        }
        measured.confirm();
      };
      await pipeline(checked, createWriteStream(join(folder, name)), ...(signal === undefined ? [] : [{ signal }]));
    }
    await moveIn(path, stored.pack, { pack: join(folder, 'pack'), index: join(folder, 'idx') });
  });
}

/** git sees a pack by its index, which comes last. */
async function moveIn(path: string, pack: Sha256, files: { readonly pack: string; readonly index: string }): Promise<void> {
  await rename(files.pack, join(packFolder(path), `pack-${pack}.pack`));
  await rename(files.index, join(packFolder(path), `pack-${pack}.idx`));
}

async function readWhole(path: string): Promise<HeldManifest | undefined> {
  const held = await readManifest(path);
  if (held === undefined) return undefined;
  for (const [name, size] of held.files) {
    const found = await stat(join(packFolder(path), name)).catch(() => undefined);
    if (found?.size !== size) return undefined;
  }
  return held;
}

/** Packs that a killed process didn't come to record, and what git left half done. */
async function removeStrangers(folder: string, held: HeldManifest): Promise<void> {
  for (const name of await readdir(folder)) if (!held.files.has(name)) await rm(join(folder, name), { recursive: true, force: true });
}

async function recorded(path: string, packs: ReadonlySet<Sha256>): Promise<HeldManifest> {
  const files = new Map<string, number>();
  for (const name of await readdir(packFolder(path))) files.set(name, (await stat(join(packFolder(path), name))).size);
  const held = { packs, files };
  await writeManifest(path, held);
  return held;
}

function packFolder(path: string): string {
  return join(path, 'objects', 'pack');
}

async function sizeOf(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    total += entry.isDirectory() ? await sizeOf(path) : (await stat(path)).size;
  }
  return total;
}

/** Runs what it is given one after another, whatever becomes of each. */
function inTurn(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const mine = last.then(step, step);
    last = mine.catch(() => undefined);
    return mine;
  };
}
