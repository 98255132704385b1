import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from './git-lines.ts';
import type { GitRunner } from './git-process.ts';
import type { HeldFolder } from './held-folder.ts';
import type { Place } from './sandbox-arguments.ts';

/** More packs than this become fewer, larger ones: each look-up and each answer pays for every pack. The store's packs stay as they are. */
const MANY_PACKS = 16;
const INDEX_MS = 3_600_000;
const TIPS = 'serving-tips';

export interface ServingTips {
  /** Commits that clients will ask for. */
  readonly tips: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes answers cheap: one index over all packs with a bitmap of what is reachable (gitformat-pack(5), multi-pack-index), and a graph of the commits. Readers go on meanwhile.
 * Throws RepositoryError; the folder serves without as well.
 */
export async function writeServingIndex(runner: GitRunner, folder: HeldFolder, { tips, signal }: ServingTips): Promise<void> {
  const places: readonly Place[] = [{ folder: folder.path, at: '/repo', access: 'write' }];
  const run = (args: readonly string[]): Promise<unknown> =>
    runGit(runner, 'index for serving', { args, places, timeoutMs: INDEX_MS, priority: 'low', ...(signal === undefined ? {} : { signal }) });

  await folder.rearrange(async () => {
    const packFolder = join(folder.objects, 'pack');
    if ((await packsBySize(packFolder)).length > MANY_PACKS) await run(['repack', '--geometric=2', '-d', '--quiet']);
    const [largest] = await packsBySize(packFolder);
    if (largest === undefined) return;
    await writeFile(join(folder.path, TIPS), tips.map((tip) => `${tip}\n`).join(''));
    // Of the preferred pack, ranges are sent as they are.
    await run(['multi-pack-index', 'write', '--bitmap', `--refs-snapshot=/repo/${TIPS}`, `--preferred-pack=${largest}`, '--no-progress']);
    await run(['commit-graph', 'write', '--no-progress']);
    await rm(join(folder.path, TIPS));
  });
}

/** Names of pack indexes, that of the largest pack first. */
async function packsBySize(packFolder: string): Promise<readonly string[]> {
  const names = (await readdir(packFolder)).filter((name) => name.endsWith('.pack'));
  const sized = await Promise.all(names.map(async (name) => ({ name, size: (await stat(join(packFolder, name))).size })));
  return sized.sort((a, b) => b.size - a.size).map(({ name }) => name.replace(/pack$/, 'idx'));
}
