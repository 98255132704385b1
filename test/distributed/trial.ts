import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Deployment, type DeploymentOptions, startDeployment } from '@granary/distributed';
import { freePort } from '@granary/services';
import { makeSiteFolder, type SiteFolder, type Watching } from '../kill/site-folder.ts';

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, '../../apps/granary/main.ts');
const WORKERS = ['worker-1', 'worker-2'] as const;

/** A deployment in a folder of its own: two workers and two nodes, with everything that they lean on. */
export interface TrialFolder extends SiteFolder {
  /** As if both buckets and the keys lay in one data folder: for those who read the archive from its files. */
  readonly view: SiteFolder;
  /** The data folders of the workers. */
  readonly workers: readonly string[];
}
export interface Trial extends AsyncDisposable {
  readonly folder: TrialFolder;
  readonly deployment: Deployment;
  readonly nodes: readonly string[];
  readonly lines: readonly Said[];
  /** Resolves when this process says so, or has said so since `from`. */
  until(name: string, pattern: RegExp, from?: number): Promise<Said>;
}
export interface Said {
  readonly name: string;
  readonly line: string;
  readonly atMs: number;
}

/** The keys of another site: only then two sites come to the same facts. */
export async function makeTrialFolder(root: string, watching: Watching, keys: string): Promise<TrialFolder> {
  const folder = await trialFolder(root, watching);
  await cp(keys, join(folder.data, 'keys'), { recursive: true, preserveTimestamps: true });
  return folder;
}

/** As another deployment was when it had been stopped. Root filesystems, which nobody writes to, are linked. */
export async function copyTrialFolder(from: TrialFolder, root: string, watching: Watching): Promise<TrialFolder> {
  const folder = await trialFolder(root, watching);
  const isRootfs = new Set(from.workers.map((worker) => join(worker, 'derived/rootfs')));
  // Redis is a hint: it starts empty.
  await cp(from.data, folder.data, {
    recursive: true,
    filter: (source) => !isRootfs.has(source) && !['redis', 's3', 'postgres'].some((name) => source === join(from.data, name)),
  });
  // With owners and extended attributes, which node's own copy leaves behind.
  for (const name of ['s3', 'postgres']) await run('cp', ['--archive', join(from.data, name), join(folder.data, name)]);
  for (const [at, worker] of from.workers.entries()) {
    await run('cp', ['--archive', '--link', join(worker, 'derived/rootfs'), join(folder.workers[at] ?? '', 'derived/rootfs')]);
  }
  return folder;
}

async function trialFolder(root: string, watching: Watching): Promise<TrialFolder> {
  const site = await makeSiteFolder(root, watching);
  const view = join(root, 'view');
  await mkdir(view, { recursive: true });
  for (const side of ['public', 'private']) await symlink(join(site.data, 's3/buckets', `granary-${side}`), join(view, side));
  await symlink(join(site.data, 'keys'), join(view, 'keys'));
  return { ...site, view: { ...site, data: view }, workers: WORKERS.map((name) => join(site.data, name)) };
}

export async function startTrial(folder: TrialFolder, more: NonNullable<DeploymentOptions['more']>): Promise<Trial> {
  const lines: Said[] = [];
  const nodePorts = [await freePort(), await freePort()];
  const deployment = await startDeployment({
    folder: folder.data,
    config: folder.config,
    granary: ['env', `TMPDIR=${folder.temporary}`, process.execPath, MAIN],
    workers: WORKERS.length,
    nodePorts,
    more,
    onLine: (name, line) => void lines.push({ name, line, atMs: performance.now() }),
  });
  const until = async (name: string, pattern: RegExp, from = 0) => {
    for (;;) {
      const found = lines.slice(from).find((said) => said.name === name && pattern.test(said.line));
      if (found !== undefined) return found;
      await sleep(20);
    }
  };
  const nodes = nodePorts.map((port) => `http://127.0.0.1:${port}`);
  return { folder, deployment, nodes, lines, until, [Symbol.asyncDispose]: () => deployment[Symbol.asyncDispose]() };
}

/** Fails after a while with the last lines of everybody. */
export async function within<T>(seconds: number, what: string, trial: Trial, promise: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timeout = sleep(seconds * 1000, undefined, { signal: late.signal }).then(() => {
    const last = trial.lines.slice(-60).map(({ name, line }) => `${name}: ${line.slice(0, 300)}`);
    throw new Error(`${what}: not within ${seconds} s; the last lines:\n${last.join('\n')}`);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    late.abort();
    timeout.catch(() => undefined);
  }
}
