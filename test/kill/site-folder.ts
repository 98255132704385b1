import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A data folder with its configuration and a folder for temporary files of its own, so that nothing left behind can hide. */
export interface SiteFolder {
  readonly root: string;
  readonly data: string;
  readonly config: string;
  readonly temporary: string;
}

export interface Watching {
  readonly index: string;
  readonly projects: readonly string[];
}

export async function makeSiteFolder(root: string, { index, projects }: Watching): Promise<SiteFolder> {
  const site = { root, data: join(root, 'data'), config: join(root, 'granary.yaml'), temporary: join(root, 'tmp') };
  await mkdir(site.temporary, { recursive: true });
  const watch = projects.length === 0 ? 'watch: []' : `watch:\n${projects.map((project) => `  - pkg:pypi/${project}`).join('\n')}`;
  await writeFile(site.config, `${watch}\nlisten: 127.0.0.1:0\nupstreams:\n  pypi:\n    index: ${index}\n`);
  return site;
}

/** Another site with the same keys, ledgers and root filesystem. The latter, ten thousand files that nobody writes to, is linked. */
export async function copySite(from: SiteFolder, root: string, watching: Watching): Promise<SiteFolder> {
  const site = await copyButRootfs(from, root, watching);
  await run('cp', ['--archive', '--link', rootfsOf(from), rootfsOf(site)]);
  return site;
}

/** The same without a root filesystem: for another disk, where nothing can be linked. */
export async function copyButRootfs(from: SiteFolder, root: string, watching: Watching): Promise<SiteFolder> {
  const site = await makeSiteFolder(root, watching);
  await cp(from.data, site.data, { recursive: true, preserveTimestamps: true, filter: (source) => source !== rootfsOf(from) });
  return site;
}

/** Where a site keeps its root filesystem, unpacked. */
export function rootfsOf({ data }: Pick<SiteFolder, 'data'>): string {
  return join(data, 'derived', 'rootfs');
}

/** Everything below a folder, as paths relative to it; empty when there is no such folder. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}
