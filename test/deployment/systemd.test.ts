import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasSiteKeys, openSiteKeys } from '@granary/driver-signer-key';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { granary } from '../machine/granary.ts';

const ROOT = join(import.meta.dirname, '../..');
const UNITS = join(ROOT, 'infra/systemd');
/** Of `systemd-analyze security`, from 0.0 (nothing is open) to 10.0. The worker makes containers, and its unit says why each thing is open. */
const EXPOSURE: Readonly<Record<string, number>> = {
  'granary-sequencer.service': 1.5,
  'granary-scheduler.service': 1.5,
  'granary-serve@.service': 1.5,
  'granary-worker@.service': 5.5,
};
const isMissing = !existsSync('/usr/bin/systemd-analyze');

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-systemd-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe.skipIf(isMissing)(`the systemd units${isMissing ? ' (skipped: systemd is not installed: `apt-get install -y systemd` brings it)' : ''}`, () => {
  /** As installed under /opt/granary, but here. */
  async function installed(): Promise<string> {
    const folder = await scratch();
    for (const name of await readdir(UNITS)) {
      if (/\.(service|target)$/.test(name)) await writeFile(join(folder, name), (await readFile(join(UNITS, name), 'utf8')).replaceAll('/opt/granary', ROOT));
    }
    return folder;
  }

  function analyze(folder: string, args: readonly string[]) {
    const env = { PATH: '/usr/bin:/bin', SYSTEMD_UNIT_PATH: `${folder}:/usr/lib/systemd/system:/lib/systemd/system` };
    return spawnSync('systemd-analyze', args, { encoding: 'utf8', env });
  }

  it('are understood by systemd, to the last directive and command', async () => {
    const folder = await installed();
    const names = ['granary.target', 'granary-sequencer.service', 'granary-scheduler.service', 'granary-worker@1.service', 'granary-serve@8081.service'];

    const { status, stdout, stderr } = analyze(folder, ['verify', '--man=no', ...names.map((name) => join(folder, name))]);

    // Of the units that these lean on, which may be other ones here, systemd may complain.
    expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('granary'))).toEqual([]);
    expect(status).toBe(0);
  });

  it.each(Object.entries(EXPOSURE))('leave little open: %s at most %s', async (name, exposure) => {
    const folder = await installed();

    const { status, stdout } = analyze(folder, ['security', '--offline=yes', '--no-pager', `--threshold=${exposure * 10}`, join(folder, name)]);

    expect(stdout).toContain('Overall exposure level');
    expect(status).toBe(0);
  });
});

describe('what the units run', () => {
  let commands: readonly string[];
  beforeAll(async () => {
    const texts = await Promise.all(Object.keys(EXPOSURE).map((name) => readFile(join(UNITS, name), 'utf8')));
    commands = texts.flatMap((text) => [...text.matchAll(/^ExecStart=.*\/granary (.+)$/gm)].map(([, command]) => command ?? ''));
  });

  it('is what the command line has: each role, each option', async () => {
    expect(commands).toHaveLength(4);
    for (const command of commands) {
      const [role = '', ...args] = command.split(' ');
      const { code, stdout } = await granary([role, '--help']);

      expect({ role, code }).toEqual({ role, code: 0 });
      for (const option of args.filter((arg) => arg.startsWith('--'))) expect(stdout).toContain(`  ${option} `);
    }
  });

  it('finds the site’s keys where systemd put them, under the names that it knows', async () => {
    const folder = await scratch();
    await openSiteKeys(join(folder, 'etc'));
    // As LoadCredential=keys:FOLDER does, in the mode that newer systemd shows.
    const credentials = join(folder, 'credentials');
    for (const name of await readdir(join(folder, 'etc'))) await cp(join(folder, 'etc', name), join(credentials, `keys_${name}`));
    for (const name of await readdir(credentials)) await chmod(join(credentials, name), 0o440);
    const keys = join(folder, 'run/keys');

    for (let start = 0; start < 2; start++) {
      const { status, stderr } = spawnSync(join(UNITS, 'take-keys'), {
        env: { PATH: '/usr/bin:/bin', CREDENTIALS_DIRECTORY: credentials, GRANARY_KEYS: keys },
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }

    expect(await hasSiteKeys(keys)).toBe(true);
    expect((await openSiteKeys(keys)).statement.keyId).toBe((await openSiteKeys(join(folder, 'etc'))).statement.keyId);
    expect((await stat(join(keys, 'statement.pem'))).mode & 0o777).toBe(0o600);
  });

  it('runs as it is where there is no cgroup to make', (context) => {
    context.skip(existsSync('/sys/fs/cgroup/cgroup.controllers'), 'this machine has cgroup version 2 alone, and a test must not move itself');

    const { stdout } = spawnSync(join(UNITS, 'in-own-cgroup'), ['echo', 'as it is'], { encoding: 'utf8' });

    expect(stdout).toBe('as it is\n');
  });
});
