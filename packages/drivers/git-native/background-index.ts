import type { StoredPack } from '@granary/contract/ports';
import pLimit from 'p-limit';
import type { FolderCache, RepositoryKey } from './folder-cache.ts';
import type { GitRunner } from './git-process.ts';
import type { HeldFolder } from './held-folder.ts';
import { writeServingIndex } from './serving-index.ts';

export interface BackgroundIndex {
  /** Sees to it that the folder will soon be indexed for these tips; nobody waits for that. */
  want(folder: HeldFolder, wanted: WantedIndex): void;
  /** The same, once nothing was asked of the folder for a while. */
  wantLater(folder: HeldFolder, wanted: WantedIndex): void;
  /** Something is asked of the folder. */
  touch(folder: HeldFolder): void;
  /** Forgets what is wanted later. */
  close(): void;
}
interface WantedIndex {
  readonly key: RepositoryKey;
  readonly packs: readonly StoredPack[];
  /** Commits that clients are shown. */
  readonly tips: () => Promise<readonly string[]>;
}
export interface BackgroundIndexOptions {
  readonly runner: GitRunner;
  readonly folders: FolderCache;
  readonly onFault: (error: unknown) => void;
  /** How long that is. */
  readonly laterMs: number;
}

/** Indexes one folder at a time, each once for each change of its packs, whether that succeeds or not. */
export function backgroundIndex({ runner, folders, onFault, laterMs }: BackgroundIndexOptions): BackgroundIndex {
  const indexed = new WeakMap<HeldFolder, number>();
  const turns = pLimit(1);
  const later = new Map<HeldFolder, NodeJS.Timeout>();

  const index: BackgroundIndex = {
    want(folder, { key, packs, tips }) {
      if (indexed.get(folder) === folder.generation()) return;
      indexed.set(folder, folder.generation());
      const work = (): Promise<void> =>
        folders.use(key, { packs }, async (now) => {
          try {
            await writeServingIndex(runner, now, { tips: await tips() });
          } finally {
            indexed.set(now, now.generation());
          }
        });
      turns(work).catch(onFault);
    },
    wantLater(folder, wanted) {
      clearTimeout(later.get(folder));
      const timer = setTimeout(() => {
        later.delete(folder);
        index.want(folder, wanted);
      }, laterMs).unref();
      later.set(folder, timer);
    },
    touch: (folder) => void later.get(folder)?.refresh(),
    close() {
      for (const timer of later.values()) clearTimeout(timer);
    },
  };
  return index;
}
