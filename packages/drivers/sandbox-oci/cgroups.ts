import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, type SandboxLimits } from '@granary/contract/ports';

/** Where runs get their cgroups: one folder per hierarchy that carries a controller we need. */
export interface CgroupHost {
  readonly version: 1 | 2;
  /** Existing folders. Version 2 has one, version 1 one per controller. */
  readonly parents: readonly { readonly controllers: readonly Controller[]; readonly folder: string }[];
}
type Controller = 'memory' | 'pids' | 'cpu';
const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu'];
const CPU_PERIOD_US = 100_000;

/** The cgroups of one run. */
export interface RunCgroups {
  readonly folders: readonly string[];
  /** How many processes of it the kernel has killed for want of memory. */
  outOfMemoryKills(): Promise<number>;
  /** Resolves when they are gone; waits for the last process to be reaped. */
  remove(): Promise<void>;
}

/** Finds the hierarchies; undefined when one of the controllers is nowhere to be had. */
export async function findCgroups(mountInfo: string, ownCgroups: string): Promise<CgroupHost | undefined> {
  const own = ownCgroups
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const mounts = mountInfo.split('\n').flatMap(parseMount);
  const first = CONTROLLERS.flatMap((controller) => {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    const path = own.find(([, names]) => names?.split(',').includes(controller))?.[2];
    return mount === undefined || path === undefined ? [] : [{ controllers: [controller], folder: below(mount, path) }];
  });
  if (first.length === CONTROLLERS.length) return { version: 1, parents: mergeByFolder(first) };
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  const path = own.find(([id]) => id === '0')?.[2];
  if (unified === undefined || path === undefined) return undefined;
  // cgroup-v2 "no internal processes": a cgroup that holds us cannot pass controllers on, its parent can.
  const folder = path === '/' ? unified.point : dirname(below(unified, path));
  const passedOn = await readFile(join(folder, 'cgroup.subtree_control'), 'utf8').catch(() => '');
  return CONTROLLERS.every((controller) => passedOn.split(/\s+/).includes(controller))
    ? { version: 2, parents: [{ controllers: CONTROLLERS, folder }] }
    : undefined;
}

/** The files that hold a limit, with what is written to them. */
export function limitFiles(
  version: 1 | 2,
  { memoryBytes, pids, cpus }: SandboxLimits,
): Readonly<Record<Controller, readonly (readonly [file: string, value: string])[]>> {
  const quota = Math.max(1000, Math.round(cpus * CPU_PERIOD_US));
  return version === 2
    ? { memory: [['memory.max', `${memoryBytes}`]], pids: [['pids.max', `${pids}`]], cpu: [['cpu.max', `${quota} ${CPU_PERIOD_US}`]] }
    : {
        memory: [['memory.limit_in_bytes', `${memoryBytes}`]],
        pids: [['pids.max', `${pids}`]],
        cpu: [
          ['cpu.cfs_period_us', `${CPU_PERIOD_US}`],
          ['cpu.cfs_quota_us', `${quota}`],
        ],
      };
}

/** Swap would let a run pass its memory limit; kernels without swap accounting lack the file. */
const SWAP_FILES = { 1: ['memory.memsw.limit_in_bytes', (memoryBytes: number) => `${memoryBytes}`], 2: ['memory.swap.max', () => '0'] } as const;

export async function createRunCgroups(host: CgroupHost, name: string, limits: SandboxLimits): Promise<RunCgroups> {
  const files = limitFiles(host.version, limits);
  const made: string[] = [];
  try {
    for (const { controllers, folder } of host.parents) {
      const own = join(folder, name);
      await mkdir(own);
      made.push(own);
      for (const [file, value] of controllers.flatMap((controller) => files[controller])) await writeFile(join(own, file), value);
      const [swapFile, swapValue] = SWAP_FILES[host.version];
      if (controllers.includes('memory')) await writeFile(join(own, swapFile), swapValue(limits.memoryBytes), { flag: 'r+' }).catch(ignoreMissing);
    }
  } catch (cause) {
    await removeFolders(made);
    throw new SandboxError('infrastructure', `make cgroup ${name}: the kernel refused it`, { cause });
  }
  const memory = made[host.parents.findIndex(({ controllers }) => controllers.includes('memory'))] ?? '';
  const counter = join(memory, host.version === 2 ? 'memory.events' : 'memory.oom_control');
  return { folders: made, outOfMemoryKills: async () => parseKills(await readFile(counter, 'utf8')), remove: () => removeFolders(made) };
}

/** Removes what earlier processes left: empty cgroups whose name starts with the prefix. Those in use stay. */
export async function sweepCgroups(host: CgroupHost, prefix: string): Promise<void> {
  for (const { folder } of host.parents) {
    const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
    for (const name of names) await rmdir(join(folder, name)).catch(ignoreGoneOrBusy);
  }
}

interface CgroupMount {
  readonly type: string;
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
}

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)): `36 35 98:0 /root /point opts … - type source super-options`. */
function parseMount(line: string): readonly CgroupMount[] {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root, point] = before.split(' ');
  const [type, , options] = after.split(' ');
  if (root === undefined || point === undefined || type === undefined || options === undefined) return [];
  return [{ type, root, point, options: options.split(',') }];
}

/** The folder of a cgroup; inside a container the mount may show only a part of the hierarchy. */
function below({ root, point }: CgroupMount, path: string): string {
  return join(point, path.startsWith(root) ? path.slice(root.length) : '/');
}

/** Version 1 may mount several controllers together. */
function mergeByFolder(parents: CgroupHost['parents']): CgroupHost['parents'] {
  const folders = [...new Set(parents.map(({ folder }) => folder))];
  return folders.map((folder) => ({ folder, controllers: parents.filter((parent) => parent.folder === folder).flatMap(({ controllers }) => controllers) }));
}

function parseKills(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    // Killed processes leave their cgroup a moment after their parent was told.
    for (let attempt = 0; attempt < 200 && !(await removed(folder)); attempt += 1) await sleep(10);
  }
}

async function removed(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    (cause: unknown) => hasCode(cause, 'ENOENT'),
  );
}

function ignoreGoneOrBusy(cause: unknown): void {
  if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'EBUSY')) throw cause;
}

function ignoreMissing(cause: unknown): void {
  // Without swap accounting the file is missing, or refuses the value.
  if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'EOPNOTSUPP')) throw cause;
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
