import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startServices } from '@granary/distributed';
import { findLeftovers } from '../kill/leftovers.ts';
import { openOnlooker, type Settled } from '../kill/read-site.ts';
import { granary } from '../machine/granary.ts';
import { cleanEnvironment } from '../machine/uv.ts';
import { unfinished } from './onlooker.ts';
import type { Trial, TrialFolder } from './trial.ts';

const run = promisify(execFile);

/** A deployment that was stopped: no process, mount or cgroup is left, nothing is pending, and both ledgers are whole, from the files and through S3. */
export async function wrongWithTrial(folder: TrialFolder): Promise<readonly string[]> {
  let left = await leftoversOf(folder);
  for (let second = 0; second < 10 && left.length > 0; second += 1) {
    await sleep(1000);
    left = await leftoversOf(folder);
  }
  const onlooker = await openOnlooker(folder.view);
  return [...left, ...(await unfinished(folder.view)), ...(await onlooker.look()), ...(await throughS3(folder))];
}

/** Processes, mounts, cgroups and scratch files. */
export async function leftoversOf({ root, temporary, workers }: TrialFolder): Promise<readonly string[]> {
  const found = await Promise.all(
    workers.filter((data) => existsSync(join(data, 'derived/sandbox'))).map((data) => findLeftovers({ root, data, temporary, config: '' })),
  );
  return [...new Set([...found.flat(), ...(await servicesBelow(root))])];
}

/** Services don't all name their folder in their command, but they work in it. */
async function servicesBelow(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const place = await readlink(`/proc/${id}/cwd`).catch(() => '');
    if (place.startsWith(`${root}/`)) found.push(`process ${id} in ${place}`);
  }
  return found;
}

/** `granary ledger check` with the services alone: every byte that the ledgers name comes out of S3. */
async function throughS3(folder: TrialFolder): Promise<readonly string[]> {
  await using services = await startServices(folder.data);
  const data = await mkdtemp(join(tmpdir(), 'granary-check-'));
  try {
    const { code, stdout, stderr } = await granary(['ledger', 'check', '--config', folder.config, '--data', data], { env: services.environment });
    return code === 0 ? [] : [`ledger check ended with ${code}: ${stdout}${stderr}`];
  } finally {
    await rm(data, { recursive: true });
  }
}

/** Both nodes give the same index, byte for byte, and pip gets from each what the ledger names. */
export async function wrongWithNodes({ nodes, folder }: Trial, projects: readonly string[], { lines }: Settled): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const project of projects) {
    const pages = await samePages(nodes, project);
    if (pages.length !== 1 || pages[0]?.startsWith('200 ') !== true) wrong.push(`the nodes give as index of ${project}: ${pages.join(' and ')}`);
  }
  const recorded = lines.join('\n');
  for (const node of nodes) {
    const into = await mkdtemp(join(folder.temporary, 'pip-'));
    await run(
      'python3',
      ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-cache-dir', '--index-url', `${node}/pypi/simple/`, '--dest', into, 'alder==1.0'],
      {
        env: cleanEnvironment(),
        timeout: 60_000,
      },
    );
    for (const file of await readdir(into)) {
      const digest = createHash('sha256')
        .update(await readFile(join(into, file)))
        .digest('hex');
      if (!recorded.includes(digest)) wrong.push(`${node} gave ${file} with sha256 ${digest}, which no fact names`);
    }
    await rm(into, { recursive: true });
  }
  return wrong;
}

/** A node follows the ledger, and may be behind for a second, or longer when it was just started. */
async function samePages(nodes: readonly string[], project: string): Promise<readonly string[]> {
  for (let second = 0; ; second += 1) {
    const pages = [...new Set(await Promise.all(nodes.map((node) => pageOf(node, project))))];
    if ((pages.length === 1 && pages[0]?.startsWith('200 ')) || second === 20) return pages;
    await sleep(1000);
  }
}

async function pageOf(node: string, project: string): Promise<string> {
  const url = `${node}/pypi/simple/${project}/`;
  const response = await fetch(url, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } }).catch(() => undefined);
  if (response === undefined) return 'no answer';
  return `${response.status} ${createHash('sha256')
    .update(new Uint8Array(await response.arrayBuffer()))
    .digest('hex')}`;
}
