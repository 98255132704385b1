import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeGoHome } from '../clients/go-home.ts';
import { succeeded } from '../clients/island-clients.ts';
import { run } from '../clients/run.ts';
import type { ForgeRepository } from '../upstream/loopback-forge.ts';

export async function workOf({ git }: ForgeRepository): Promise<string> {
  return (await git('rev-parse', '--show-toplevel')).trim();
}

/** Into the repository's work tree. */
export async function writeFiles(repository: ForgeRepository, files: Readonly<Record<string, string>>): Promise<void> {
  const work = await workOf(repository);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), text);
  }
}

/** All that lies in the work tree, tagged and pushed; resolves with the commit. */
export async function commitAll({ git }: ForgeRepository, message: string, ...tags: readonly string[]): Promise<string> {
  await git('add', '--all', '--force');
  await git('commit', '--quiet', '--message', message);
  for (const tag of tags) await git('tag', tag);
  await git('push', '--quiet', '--force', '--tags', 'origin', 'main');
  return (await git('rev-parse', 'HEAD')).trim();
}

interface Downloaded {
  readonly Path: string;
  readonly Version: string;
}

/** As go makes modules from git; what it keeps of them becomes the tree of the proxy in `folder`. `base` is where https://forge.example/ leads. */
export async function downloadModules(
  modules: readonly string[],
  { folder, base }: { readonly folder: string; readonly base: string },
): Promise<readonly string[]> {
  const settings = join(folder, 'gitconfig');
  await writeFile(settings, `[url "${base}"]\n\tinsteadOf = https://forge.example/\n`);
  const cache = join(folder, 'module-cache');
  const home = makeGoHome(folder, {
    proxy: 'direct',
    sumdb: 'off',
    runner: (argv, options) => run(argv, { ...options, env: { ...options?.env, GIT_CONFIG_GLOBAL: settings, GIT_CONFIG_NOSYSTEM: '1', GOMODCACHE: cache } }),
  });
  const found: string[] = [];
  for (const module of modules) {
    const ran = await home.go(['mod', 'download', '-json', module], folder);
    succeeded(ran, `go mod download ${module}`);
    const { Path, Version }: Downloaded = JSON.parse(ran.said);
    found.push(`${Path}@${Version}`);
  }
  await cp(join(cache, 'cache/download'), join(folder, 'upstream/proxy'), { recursive: true });
  return found;
}
