import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RootfsRecipe } from '@granary/contract/ports';
import { blobKey } from '@granary/core/layout';
import { toInstant } from '@granary/core/model';
import { openAptResolver, openOciSandbox, readAptConfiguration, readKeyrings } from '@granary/driver-sandbox-oci';
import { openFsStore } from '@granary/driver-store-fs';
import { openHttpUpstream } from '@granary/driver-upstream-http';
import { mainArchive, mirrorRootfs, parseAptSources } from '@granary/ecosystem-deb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { report, timed } from './report.ts';

const WORKER = fileURLToPath(new URL('rootfs-worker.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'granary-rootfs-lane-'));
const [store, recipeFile] = [join(folder, 'store'), join(folder, 'recipe.json')];

let recipe: RootfsRecipe;
let digest = '';
beforeAll(async () => {
  recipe = await timed('mirror', mirror);
  writeFileSync(recipeFile, JSON.stringify(recipe));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a root filesystem', () => {
  it('is made from stored packages, and runs what it holds', async () => {
    await using opened = await openFsStore(store);
    await using sandbox = await openOciSandbox({ blobs: opened.blobs, rootfsCacheDir: join(folder, 'rootfs'), scratchDir: join(folder, 'scratch') });
    // Asked for twice at once, it is made once.
    const [first, second] = await timed('prepare', () => Promise.all([sandbox.prepare(recipe), sandbox.prepare(recipe)]));
    digest = first;
    report(
      `root filesystem ${digest}: ${execFileSync('du', ['-sm', join(folder, 'rootfs', digest)], { encoding: 'utf8' }).split('\t')[0]} MB, ${recipe.packages.length} packages`,
    );
    const phase = {
      argv: ['python3', '-c', 'import distutils, sqlite3, ssl, subprocess, sys, venv; print(sys.version_info[:2], flush=True); subprocess.run(["hello"])'],
      env: { PYTHONWARNINGS: 'ignore' },
      network: 'none',
    } as const;
    const limits = { memoryBytes: 2 ** 29, cpus: 1, pids: 64, diskBytes: 2 ** 28, outputBytes: 1, outputFiles: 1, logBytes: 10_000 };

    const { log, phases } = await sandbox.run({
      id: 'look',
      rootfs: first,
      inputs: [],
      phases: [{ name: 'look', timeoutMs: 20_000, ...phase }],
      outputDir: 'out',
      limits,
    });

    expect(second).toBe(first);
    expect([log.text, phases[0]?.end]).toEqual(['(3, 11)\nhello\n', { type: 'exited', code: 0 }]);
    expect(await sandbox.prepare(recipe)).toBe(first);
    expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
  });

  it('is the same on another machine with an empty disk, no network, another name, umask and time zone', async () => {
    const copy = join(folder, 'a rather different place');
    cpSync(store, join(copy, 'store'), { recursive: true });

    const output = execFileSync(
      'unshare',
      ['--net', '--uts', 'sh', '-c', 'umask 077 && hostname elsewhere && exec "$@"', 'sh', process.execPath, WORKER, join(copy, 'store'), recipeFile, copy],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], TZ: 'Asia/Kathmandu', LANG: 'C' },
      },
    );

    expect(output).toBe(`open\n${digest}\n`);
  });
});

describe('a root filesystem', () => {
  it('that is killed half made leaves nothing running and nothing mounted, and is made anew', async () => {
    const out = join(folder, 'killed');
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const start = (): ChildProcess => spawn(process.execPath, [WORKER, store, recipeFile, out], { stdio: ['ignore', 'pipe', 'inherit'] });
    for (const milliseconds of [1500, 6000, 12_000]) {
      const worker = start();
      await sleep(milliseconds);
      worker.kill('SIGKILL');
      await once(worker, 'close');
      await sleep(500);

      expect(processesThatName(`${out}/scratch`)).toEqual([]);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts);
      // On a busy machine the first one comes before there is even a folder.
      const made = existsSync(join(out, 'rootfs')) ? readdirSync(join(out, 'rootfs')) : [];
      expect(made.filter((name) => /^[0-9a-f]{64}$/.test(name))).toEqual([]);
    }

    const output = execFileSync(process.execPath, [WORKER, store, recipeFile, out], { encoding: 'utf8' });

    expect(output).toBe(`open\n${digest}\n`);
    expect(readdirSync(join(out, 'scratch'))).toEqual([]);
  });

  it('is not made of a package that rotted in the store', () => {
    const copy = join(folder, 'rotten');
    cpSync(store, join(copy, 'store'), { recursive: true });
    const [rotten] = recipe.packages;
    if (rotten === undefined) throw new Error('the recipe names no package');
    execFileSync('chmod', ['u+w', join(copy, 'store', blobKey(rotten.sha256))]);
    writeFileSync(join(copy, 'store', blobKey(rotten.sha256)), 'rot', { flag: 'r+' });

    expect(() => execFileSync(process.execPath, [WORKER, join(copy, 'store'), recipeFile, copy], { stdio: 'pipe' })).toThrow(
      /the store holds other bytes under that name/,
    );
  });
});

async function mirror(): Promise<RootfsRecipe> {
  const { sources, codename = '' } = await readAptConfiguration();
  const source = mainArchive(parseAptSources(sources), codename);
  if (source === undefined) throw new Error('this lane needs the archive of a Debian release in the sources of apt');
  const clock = { now: () => toInstant(Date.now()), sleep: async (milliseconds: number) => sleep(milliseconds) };
  await using opened = await openFsStore(store);
  await using upstream = openHttpUpstream({ configured: [source.url], clock, userAgent: 'granary-lane' });
  const tool = await opened.blobs.put(Buffer.from('#!/bin/sh\necho hello\n'), { maxBytes: 100 });
  const ports = { upstream, blobs: opened.blobs, resolver: openAptResolver({ blobs: opened.blobs, scratchDir: join(folder, 'scratch') }) };
  const wish = {
    source,
    keyrings: await readKeyrings(source.signedBy),
    architecture: 'amd64',
    include: ['python3', 'python3-venv'],
    files: [{ path: '/usr/local/bin/hello', sha256: tool.sha256, executable: true }],
  };
  return (await mirrorRootfs(ports, wish)).recipe;
}

function processesThatName(path: string): readonly string[] {
  const lines = readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
    } catch {
      return []; // It ended meanwhile.
    }
  });
  return lines.filter((line) => line.includes(path));
}
