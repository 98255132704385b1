import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = dirname(dirname(import.meta.dirname));

/** What a certificate authority of one's own needs; all else of the environment is left behind. */
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'] as const;

let place: string;
let clone: string;

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'granary-fresh-clone-'));
  clone = join(place, 'granary');
  mkdirSync(join(place, 'home'));
  expect(spawnSync('git', ['clone', '--quiet', root, clone]).status).toBe(0);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('a fresh clone with an empty home', () => {
  it('lets two starts at once wait for each other, and both run', async () => {
    const both = await Promise.all([run('infra/setup/run', 'node', '--version'), run('infra/setup/run', 'node', '--version')]);

    for (const { status, stdout, stderr } of both)
      expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: expect.stringMatching(/^v(2[4-9]|[3-9]\d)\./) });
    expect(
      both.filter(({ stderr }) => stderr.includes('installing the packages')),
      'one of them did the work',
    ).toHaveLength(1);
  });

  it('asks nobody the second time: without any network it says nothing and runs', async (context) => {
    context.skip(spawnSync('unshare', ['-rn', 'true']).status !== 0, 'this user may not make a network namespace');

    expect(await run('unshare', '-rn', 'infra/setup/run', 'node', '-p', '1 + 1')).toEqual({ status: 0, stdout: '2\n', stderr: '' });
  });

  it('goes on after Ctrl-C in the middle', async () => {
    rmSync(join(clone, 'node_modules'), { recursive: true });
    const interrupted = start('infra/setup/run', ['node', '--version']);
    await new Promise((resolve) => interrupted.stderr.once('data', resolve));
    process.kill(-(interrupted.pid ?? expect.fail('it did not start')), 'SIGINT');
    await new Promise((resolve) => interrupted.once('close', resolve));

    expect(await run('infra/setup/run', 'node', '-p', '1 + 1')).toMatchObject({ status: 0, stdout: '2\n' });
    expect(readdirSync(join(clone, '.toolchain'))).not.toContain('partial');
  });

  it('leaves nothing that git would see', () => {
    expect(spawnSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' }).stdout).toBe('');
  });
});

async function run(command: string, ...args: readonly string[]): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = start(command, args);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** In a process group of its own, as a terminal has it, with the PATH of a user who has never heard of this workspace. */
function start(command: string, args: readonly string[]) {
  const PATH = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(root))
    .join(delimiter);
  const certificates = CERTIFICATES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return spawn(command, args, {
    cwd: clone,
    detached: true,
    env: { PATH, HOME: join(place, 'home'), ...Object.fromEntries(certificates) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
