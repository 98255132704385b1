import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShownRefs } from '@granary/contract/ports';
import type { ObjectFormat } from '@granary/core/git';
import { makeBareRepository } from './bare-repository.ts';
import type { Peeled } from './look-up-objects.ts';
import { checkObjectIds } from './object-ids.ts';
import { headFile, packedRefs } from './packed-refs.ts';
import type { ScratchFolders } from './scratch-folders.ts';

interface RefsToShow {
  readonly shown: ShownRefs;
  readonly objectFormat: ObjectFormat;
  readonly peel: (objectIds: readonly string[]) => Promise<ReadonlyMap<string, Peeled>>;
}
/** Repositories that have refs and no objects, one for each set of refs that is shown. */
export interface ShownFolders {
  use<T>(refs: RefsToShow, work: (folder: string) => Promise<T>): Promise<T>;
}

interface Entry {
  readonly made: Promise<string>;
  users: number;
}

/** Keeps those asked for last, and those in use. */
export async function openShownFolders(root: string, { scratch, kept }: { readonly scratch: ScratchFolders; readonly kept: number }): Promise<ShownFolders> {
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  let made = 0;
  const entries = new Map<string, Entry>();
  const ids = new WeakMap<ShownRefs, string>();

  async function trim(): Promise<void> {
    for (const [id, entry] of entries) {
      if (entries.size <= kept) return;
      if (entry.users > 0) continue;
      entries.delete(id);
      await entry.made.then(scratch.discard, () => undefined);
    }
  }

  function enter(id: string, refs: RefsToShow): Entry {
    made += 1;
    const entry = entries.get(id) ?? { made: make(join(root, String(made)), refs, scratch), users: 0 };
    // A Map keeps the order of insertion: the first is the one that nobody asked for the longest.
    entries.delete(id);
    entries.set(id, entry);
    return entry;
  }

  return {
    async use(refs, work) {
      const id = ids.get(refs.shown) ?? idOf(refs);
      ids.set(refs.shown, id);
      const entry = enter(id, refs);
      entry.users += 1;
      try {
        return await work(await entry.made);
      } catch (error) {
        if (entries.get(id) === entry && (await isFailed(entry))) entries.delete(id);
        throw error;
      } finally {
        entry.users -= 1;
        await trim();
      }
    },
  };
}

async function make(path: string, { shown, objectFormat, peel }: RefsToShow, scratch: ScratchFolders): Promise<string> {
  checkObjectIds(objectFormat, shown.refs.values());
  const peeled = await peel([...shown.refs.values()]);
  const refs = packedRefs(shown, peeled);
  const head = headFile(shown, peeled);
  await scratch.use(async (folder) => {
    const bare = join(folder, 'bare');
    await makeBareRepository(bare, { objectFormat, head });
    await writeFile(join(bare, 'packed-refs'), refs);
    await rename(bare, path);
  });
  return path;
}

function idOf({ shown, objectFormat }: RefsToShow): string {
  const hash = createHash('sha256').update(`${objectFormat}\n${JSON.stringify(shown.head ?? '')}\n`);
  for (const name of [...shown.refs.keys()].sort()) hash.update(`${JSON.stringify(name)} ${shown.refs.get(name)}\n`);
  return hash.digest('hex');
}

function isFailed({ made }: Entry): Promise<boolean> {
  return made.then(
    () => false,
    () => true,
  );
}
