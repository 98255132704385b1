import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { BlobStore, Repositories } from '@granary/contract/ports';
import { trackWrites } from '@granary/contract/work';
import pLimit from 'p-limit';
import { backgroundIndex } from './background-index.ts';
import { type FolderCache, openFolderCache } from './folder-cache.ts';
import { lockFolder } from './folder-lock.ts';
import { onDisk } from './git-fault.ts';
import { gitRunner } from './git-process.ts';
import { findGitTools } from './git-tools.ts';
import { gitVersion } from './git-version.ts';
import { localRepository } from './local-repository.ts';
import { openScratchFolders } from './scratch-folders.ts';
import { openShownFolders } from './shown-folders.ts';

export interface RepositoriesOptions {
  /** Derived: may be deleted while no process has it. One process at a time. */
  readonly folder: string;
  readonly blobs: BlobStore;
  /** Of all repositories together; those in use stay, however large. */
  readonly maxBytes: number;
  /** Absolute path; the system's unless given. */
  readonly git?: string;
  /** That one process of git may allocate; 2 GiB unless given. */
  readonly maxMemoryBytes?: number;
  /** Clients that are served at the same time; others wait. 16 unless given. */
  readonly maxServed?: number;
  /** How long a client may take without a byte in or out, and in all; 2 minutes and 2 hours unless given. */
  readonly serveIdleMs?: number;
  readonly serveTimeoutMs?: number;
  /** How long a repository whose first pack came is left alone before it gets its index for serving, where no client asks for objects before; 10 seconds unless given. */
  readonly indexAfterMs?: number;
  /** Told what went wrong with the index for serving, for which nobody waits; clients are served without it. */
  readonly onFault?: (error: unknown) => void;
}

const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
const SHOWN_KEPT = 16;
/** Each holds memory of its own. */
const MAX_THREADS = 4;
const GIB = 1024 ** 3;

/** Opens the folder. Throws RepositoryError `unavailable` when git or bubblewrap is missing, too old, or may not make namespaces here, or another process has the folder. */
export async function openRepositories(options: RepositoriesOptions): Promise<Repositories & AsyncDisposable> {
  const root = resolve(options.folder);
  const runner = gitRunner({
    tools: await findGitTools(options.git),
    threads: Math.min(MAX_THREADS, availableParallelism()),
    limits: { memoryBytes: options.maxMemoryBytes ?? 2 * GIB, fileBytes: 1024 * GIB, cpuSeconds: 7200 },
  });
  await gitVersion(runner);
  const lock = await onDisk(`open ${root}`, async () => {
    await mkdir(root, { recursive: true });
    return lockFolder(root);
  });
  const scratch = await openScratchFolders(join(root, 'scratch'));
  const folders = await openFolderCache({ root: join(root, 'held'), maxBytes: options.maxBytes, blobs: options.blobs, scratch });
  const under = trackWrites();
  const tracked: FolderCache = { use: (key, use, work) => under.add(folders.use(key, use, work)) };
  const parts = {
    runner,
    scratch,
    blobs: options.blobs,
    folders: tracked,
    index: backgroundIndex({ runner, folders: tracked, onFault: options.onFault ?? (() => undefined), laterMs: options.indexAfterMs ?? 10_000 }),
    shownFolders: await openShownFolders(join(root, 'shown'), { scratch, kept: SHOWN_KEPT }),
    serving: { maxRequestBytes: MAX_REQUEST_BYTES, idleMs: options.serveIdleMs ?? 120_000, timeoutMs: options.serveTimeoutMs ?? 7_200_000 },
    turns: pLimit(options.maxServed ?? 16),
  };
  return {
    async open(name, { objectFormat, packs, signal }) {
      const key = { name, objectFormat };
      await parts.folders.use(key, { packs, signal }, async () => undefined);
      return localRepository(parts, key, packs);
    },
    async [Symbol.asyncDispose]() {
      parts.index.close();
      await runner.close();
      await under.settled();
      lock.close();
    },
  };
}
