import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SYSTEM_PROGRAMS = ['git', 'bwrap', 'crun', 'mmdebstrap', 'socat', 'ip', 'xz', 'diff', 'python3', 'pip3', 'redis-server', 'apt-get'];

/** A checkout with nothing but the set-up in it, on a machine with nothing but what is put into `programs`. */
let machine: { readonly root: string; readonly programs: string; readonly asked: string };

beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'granary-set-up-'));
  chmodSync(root, 0o777);
  machine = { root, programs: join(root, 'programs'), asked: join(root, 'asked') };
  mkdirSync(machine.programs);
  cpSync(import.meta.dirname, join(root, 'infra', 'setup'), { recursive: true });
  writeFileSync(join(root, 'pnpm-lock.yaml'), "lockfileVersion: '9.0'\n");
  symlinkSync('/bin/sh', join(machine.programs, 'sh'));
  for (const name of ['flock', 'mkdir', 'cat', 'cp']) symlinkSync(programOf(name), join(machine.programs, name));
});

afterEach(() => rmSync(machine.root, { recursive: true, force: true }));

describe('the set-up', () => {
  it('names in one line what an unprivileged user has to have installed, and touches nothing', () => {
    for (const name of SYSTEM_PROGRAMS.filter((program) => program !== 'crun' && program !== 'socat')) provide(name);

    const { status, stderr } = setUp({ as: 'nobody' });

    expect(status).toBe(69);
    expect(stderr).toContain("sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends crun socat");
    expect(asked()).toEqual([]);
  });

  it('names the programs alone where there is no apt', () => {
    const { status, stderr } = setUp({ as: 'nobody' });

    expect(status).toBe(69);
    expect(stderr).toMatch(
      /programs are missing, under their Debian names: git bubblewrap crun mmdebstrap socat (iproute2 )?xz-utils diffutils python3 (python3-venv )?(redis-server )?apt/,
    );
  });

  it('brings pnpm and the packages once, by the machine’s own npm and registry, and asks nobody the second time', () => {
    for (const name of SYSTEM_PROGRAMS) provide(name);
    provideNpm();

    const first = setUp({ as: 'self' });
    const askedFirst = asked();
    const second = setUp({ as: 'self' });

    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(askedFirst.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['npm install', 'npm config', 'pnpm install']);
    expect(askedFirst[2]).toContain('--frozen-lockfile');
    expect(askedFirst[2]).toContain('--registry=https://registry.example/');
    expect(second).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(asked()).toEqual(askedFirst);
  });

  it('installs the packages again when the lockfile has changed', () => {
    for (const name of SYSTEM_PROGRAMS) provide(name);
    provideNpm();
    setUp({ as: 'self' });
    writeFileSync(join(machine.root, 'pnpm-lock.yaml'), "lockfileVersion: '9.0'\nsettings: {}\n");

    setUp({ as: 'self' });

    expect(asked().filter((line) => line.startsWith('pnpm install'))).toHaveLength(2);
  });

  it('says what to do when npm cannot reach its registry, and starts over the next time', () => {
    for (const name of SYSTEM_PROGRAMS) provide(name);
    provide('npm', 'exit 1');
    const failed = setUp({ as: 'self' });
    provideNpm();

    expect(failed.status).toBe(69);
    expect(failed.stderr).toContain('npm install ended with 1. Check that this machine reaches its npm registry');
    expect(setUp({ as: 'self' }).status).toBe(0);
  });
});

function setUp({ as }: { readonly as: 'nobody' | 'self' }): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const isRoot = process.getuid?.() === 0;
  return spawnSync(process.execPath, [join(machine.root, 'infra', 'setup', 'set-up.mjs')], {
    cwd: machine.root,
    encoding: 'utf8',
    env: { PATH: machine.programs, HOME: machine.root },
    ...(as === 'nobody' && isRoot ? { uid: 65_534, gid: 65_534 } : {}),
  });
}

function provide(name: string, script = 'exit 0'): void {
  const file = join(machine.programs, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** An npm that notes what it is asked, and installs a pnpm that does the same. */
function provideNpm(): void {
  const note = `appendFileSync(${JSON.stringify(machine.asked)}, 'pnpm ' + process.argv.slice(2).join(' ') + '\\n');`;
  const pnpm = `import { appendFileSync, mkdirSync } from 'node:fs';\n${note}\nmkdirSync('node_modules', { recursive: true });\n`;
  writeFileSync(join(machine.root, 'pnpm.mjs'), pnpm);
  provide(
    'npm',
    [
      `echo "npm $*" >> '${machine.asked}'`,
      'if [ "$1" = config ]; then echo https://registry.example/; exit; fi',
      'mkdir -p node_modules/pnpm/bin',
      `cp '${join(machine.root, 'pnpm.mjs')}' node_modules/pnpm/bin/pnpm.mjs`,
      `for spec in "$@"; do case $spec in pnpm@*) echo "{\\"version\\":\\"\${spec#pnpm@}\\"}" > node_modules/pnpm/package.json;; esac; done`,
    ].join('\n'),
  );
}

function asked(): readonly string[] {
  try {
    return readFileSync(machine.asked, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function programOf(name: string): string {
  const folder = ['/usr/bin', '/bin', ...(process.env['PATH'] ?? '').split(delimiter)].find((path) => spawnSync('test', ['-x', join(path, name)]).status === 0);
  return join(folder ?? expect.fail(`${name} is not installed`), name);
}
