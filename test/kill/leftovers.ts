import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow, type SiteFolder } from './site-folder.ts';

/** What must be gone once a run has ended by itself: processes, mounts and cgroups of the killed ones, facts not sequenced, litter. */
export async function findLeftovers(site: SiteFolder): Promise<readonly string[]> {
  const prefix = cgroupPrefix(site);
  const [processes, mounts, cgroups, files] = await Promise.all([processesOf(site, prefix), mountsOf(site), cgroupsOf(prefix), litterOf(site)]);
  return [...processes, ...mounts, ...cgroups, ...files];
}

/** As the sandbox names the cgroups of one data folder. */
function cgroupPrefix(site: SiteFolder): string {
  return `granary-${createHash('sha256').update(join(site.data, 'derived/rootfs')).digest('hex').slice(0, 12)}-`;
}

async function processesOf(site: SiteFolder, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // It may end meanwhile.
    const read = (file: string) => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '');
    const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
    if (command.includes(site.root) || (await read('cgroup')).includes(prefix)) found.push(`process ${id}: ${command.slice(0, 200)}`);
  }
  return found;
}

async function mountsOf(site: SiteFolder): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => line.includes(site.root)).map((line) => `mount ${line}`);
}

async function cgroupsOf(prefix: string): Promise<readonly string[]> {
  const found = await readdir('/sys/fs/cgroup', { recursive: true }).catch(() => []);
  return found.filter((path) => path.includes(prefix)).map((path) => `cgroup ${path}`);
}

async function litterOf({ data, temporary }: SiteFolder): Promise<readonly string[]> {
  const found = [...(await filesBelow(data)), ...(await filesBelow(temporary)).map((path) => `../tmp/${path}`)];
  const folders = [...(await readdir(join(data, 'derived/sandbox'))), ...(await readdir(temporary))].map((name) => `a folder ${name}`);
  return [...found.filter(isLitter), ...folders];
}

function isLitter(path: string): boolean {
  if (path.startsWith('derived/rootfs/')) return path.includes('/unpacking-');
  return /^(public|private)\/(\.tmp|pending|refused|ledgers\/[^/]+\/staging)\/|^derived\/(resolver\/resolve-|sockets\/)|^keys\/\.|\.part$|^\.\.\/tmp\//.test(
    path,
  );
}
