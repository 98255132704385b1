import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { granary } from '../machine/granary.ts';

const WATCHING = ['watch add', 'watch list', 'watch remove', 'watch request'];
const COMMANDS = ['up', 'serve', 'status', ...WATCHING, 'why', 'diff', 'rebuild', 'verify', 'ledger check', 'catalog rebuild', 'doctor'];
const README = join(import.meta.dirname, '../../README.md');

// A dozen processes one after the other, on a machine that may be busy.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-cli-'));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('help', () => {
  it('names every command and every exit code, the same as the README', async () => {
    const { code, stdout, stderr } = await granary(['--help']);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command.split(' ')[0]} `);
    const told = /Exit codes:\n([\s\S]+)/.exec(stdout)?.[1]?.trimEnd().split('\n').map(row) ?? [];
    expect(told.length).toBeGreaterThan(8);
    expect(told).toEqual(await readmeExitCodes());
  });

  it('of each command says what it takes, and shows an example that it would understand', async () => {
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await granary([...command.split(' '), '--help']);

      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
      expect(stdout).toContain('--json');
      const example = /Examples?:\n {2}granary (.+)/.exec(stdout)?.[1] ?? '';
      expect(example.startsWith(command)).toBe(true);
    }
  });

  function row(line: string): readonly [string, string] {
    const [, codes = '', meaning = ''] = /^ {2}(.+?) {2,}(.+)$/.exec(line) ?? [];
    return [codes, meaning];
  }

  /** Without the links and the names of sysexits.h that only the README has. */
  async function readmeExitCodes(): Promise<readonly (readonly [string, string])[]> {
    const table = /\| code \| meaning \|\n\|[-|]+\|\n((?:\|.+\n)+)/.exec(await readFile(README, 'utf8'))?.[1] ?? '';
    return table
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, codes = '', meaning = ''] = /^\| (.+?) \| (.+) \|$/.exec(line) ?? [];
        return [codes, meaning.replace(/ \((EX_[A-Z]+|\[.+?\]\(.+?\))\)$/, '')];
      });
  }
});

describe('arguments that are not understood', () => {
  it.each([
    ['no command at all', []],
    ['an unknown command', ['mirror']],
    ['an unknown option', ['status', '--verbose']],
    ['an argument that is missing', ['why']],
    ['an argument too many', ['status', 'click']],
    ['an option that verify needs', ['verify', 'click.whl']],
    ['an address without a port', ['up', '--listen', 'localhost']],
    ['a port that is none', ['serve', '--listen', '127.0.0.1:70000']],
  ])('are refused with 64 and one line that says what to do: %s', async (_what, args) => {
    const { code, stdout, stderr } = await granary(args, { cwd: folder });

    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n\(granary --help lists the commands\)\n$|^Usage: granary /);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe('commands on a folder that holds an archive', () => {
  /** Nothing answers at this upstream: the archive is made, and then nothing comes into it. */
  let config = '';
  beforeAll(async () => {
    config = join(folder, 'granary.yaml');
    const upstreams = { pypi: { index: `http://127.0.0.1:${await closedPort()}/simple/` } };
    await writeFile(config, JSON.stringify({ watch: ['pkg:pypi/click'], upstreams, listen: '127.0.0.1:0' }));
    const { code, stderr } = await granary(['up', '--once'], { cwd: folder });
    expect(stderr).toMatch(/granary: get http:\S+\/simple\/uv\/: connect ECONNREFUSED \S+; .*granary doctor/);
    expect(code).toBe(69);
  });

  it('print one line of JSON, and nothing else, with --json', async () => {
    for (const command of ['status', 'ledger check', 'catalog rebuild', 'doctor']) {
      const { code, stdout, stderr } = await granary([...command.split(' '), '--json'], { cwd: folder });

      expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: '' });
      expect(stdout.trimEnd().split('\n')).toHaveLength(1);
      expect(JSON.parse(stdout)).toBeTypeOf('object');
    }
  });

  it('say with 66 what is not held, and how to have it', async () => {
    for (const command of ['why', 'diff', 'rebuild']) {
      expect(await granary([command, 'pkg:pypi/nothing'], { cwd: folder })).toMatchObject({
        code: 66,
        stdout: '',
        stderr: "granary: pkg:pypi/nothing isn't held here; granary watch add pkg:pypi/nothing has it mirrored\n",
      });
    }
    const { code, stderr } = await granary(['status', '--data', join(folder, 'elsewhere')], { cwd: folder });
    expect({ code, stderr }).toEqual({
      code: 66,
      stderr: `granary: ${join(folder, 'elsewhere')} holds no archive; granary up makes one, --data names another folder\n`,
    });
  });

  it('refuse with 64 what is no package URL', async () => {
    for (const command of ['why', 'diff', 'rebuild']) {
      const { code, stderr } = await granary([command, 'click'], { cwd: folder });

      expect({ code, stderr }).toEqual({ code: 64, stderr: 'granary: click: not a package URL; expected one such as pkg:pypi/click@8.1.7\n' });
    }
  });

  it('verify says with a code of its own why it claims nothing', async () => {
    const verify = async (file: string, key: string, mirror: string) =>
      (await granary(['verify', file, '--key', key, '--mirror', mirror], { cwd: folder })).code;

    expect(await verify('granary.yaml', 'data/granary.pub', 'data/public')).toBe(10);
    expect(await verify('missing.whl', 'data/granary.pub', 'data/public')).toBe(24);
    expect(await verify('granary.yaml', 'granary.yaml', 'data/public')).toBe(22);
    expect(await verify('granary.yaml', 'missing.pub', 'data/public')).toBe(64);
  });

  it('ends with 75 when another process listens at the address', async () => {
    await using taken = await listening();

    const { code, stderr } = await granary(['serve', '--listen', `127.0.0.1:${taken.port}`], { cwd: folder });

    expect(stderr).toBe(
      `granary: listen on 127.0.0.1:${taken.port}: another process listens there; stop it, or give this one an address of its own with --listen\n`,
    );
    expect(code).toBe(75);
  });
});

async function listening(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const close = async () => void (await new Promise((resolve) => server.close(resolve)));
  return { port: typeof bound === 'object' && bound !== null ? bound.port : 0, [Symbol.asyncDispose]: close };
}

async function closedPort(): Promise<number> {
  await using server = await listening();
  return server.port;
}
