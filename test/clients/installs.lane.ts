import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type InstallsSite, makeInstallsSite } from './installs-site.ts';
import { mustRun, run } from './run.ts';

const Product = z.object({
  specification: z.string(),
  complete: z.boolean(),
  missing: z.array(z.string()),
  installs: z.array(
    z.object({
      ecosystem: z.string(),
      state: z.string(),
      downloads: z.array(z.object({ release: z.string(), host: z.string(), port: z.number().nullable() })),
      failed: z.array(z.string()),
    }),
  ),
});
const Status = z.object({ watched: z.array(Product) });
const WATCHED = ['downloads', 'offline', 'old', 'still', 'wild'].map((name) => `${name}/package-lock.json`);

let folder = '';
let site: InstallsSite;
const granary = (...args: readonly string[]) => run(granaryArgv(...args, '--config', site.configFile), { env: granaryEnvironment() });
const productOf = async (name: string) => {
  const { said } = await granary('status', '--json');
  const found = Status.parse(JSON.parse(said)).watched.find(({ specification }) => specification.startsWith(`${name}/`));
  if (found === undefined) throw new Error(`${name} is not watched:\n${said}`);
  return found;
};
/** Which products were tried meanwhile. */
const mirror = async () => {
  const { said } = await mustRun(granaryArgv('up', '--once', '--json', '--events', '--listen', '127.0.0.1:0', '--config', site.configFile), {
    env: granaryEnvironment(),
  });
  return [...said.matchAll(/"event":"done","stage":"rebuild","id":"try [^"]+","label":"install of ([^"]+)"/g)].map(([, product]) => product);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-installs-'));
  site = await makeInstallsSite(folder, [...WATCHED, 'other/pnpm-lock.yaml']);
  await site.lock('downloads', ['by-name', 'by-name-plain', 'by-address', 'by-fetch', 'by-curl', 'compiles', 'quiet']);
  await site.lock('offline', ['builds-offline', 'quiet']);
  await site.lock('old', ['builds-offline', 'by-address'], '--lockfile-version 1');
  await site.lock('still', ['quiet']);
  await site.lock('wild', ['builds-offline', 'by-name', 'forks', 'hangs']);
  await site.lockWithPnpm('other', ['builds-offline']);
  await mirror();
}, 3_000_000);
afterAll(async () => {
  await site?.upstream.close();
  if (folder !== '') rmSync(folder, { recursive: true });
});

describe('a product whose packages run code at install', () => {
  it('is complete when none of it needs anybody else', async () => {
    expect(await productOf('offline')).toMatchObject({ complete: true, missing: [], installs: [{ state: 'self-sufficient' }] });
    expect(await productOf('still')).toMatchObject({ complete: true, missing: [], installs: [{ state: 'self-sufficient' }] });
  });

  it('is not when a package downloads, by whatever means, whether it fails without or hides that', async () => {
    const { complete, missing, installs } = await productOf('downloads');

    expect(complete).toBe(false);
    expect(installs[0]?.downloads.map(({ release, host, port }) => `${release} ${host} ${port}`)).toEqual(
      expect.arrayContaining([
        'pkg:npm/by-address@1.0.0 192.0.2.44 9443',
        'pkg:npm/by-curl@1.0.0 curled.example 443',
        'pkg:npm/by-curl@1.0.0 wgot.example 443',
        'pkg:npm/by-fetch@1.0.0 fetched.example 443',
        'pkg:npm/by-name@1.0.0 files.example 443',
        'pkg:npm/by-name-plain@1.0.0 plain.files.example 8080',
      ]),
    );
    expect(missing).toContain('not covered: downloads of pkg:npm/by-name-plain@1.0.0 from plain.files.example:8080');
    expect(missing).toContain('not covered: downloads of pkg:npm/by-name@1.0.0 from files.example, without which its install script fails (exit 1)');
    expect(missing.filter((line) => line.includes('quiet') || line.includes('builds-offline'))).toEqual([]);
    // What node-gyp asks for is none of the package's own doing, and missing all the same.
    expect(missing.some((line) => line.startsWith('not covered: downloads of pkg:npm/compiles@1.0.0 from '))).toBe(true);
    expect((await granary('status', '--require-complete')).code).toBe(1);
  });

  it('may be locked as npm did it long ago', async () => {
    expect(await productOf('old')).toMatchObject({
      complete: false,
      missing: ['not covered: downloads of pkg:npm/by-address@1.0.0 from 192.0.2.44:9443, without which its install script fails (exit 4)'],
    });
  });
});

describe('the trial of a product', () => {
  it('comes to its end though a package hangs and another forks for ever: the other packages are judged as ever', async () => {
    const { complete, missing, installs } = await productOf('wild');

    expect(complete).toBe(false);
    expect(missing).toContain('not covered: the install script of pkg:npm/hangs@1.0.0 does not end');
    expect(installs[0]?.failed).toEqual(expect.arrayContaining(['pkg:npm/by-name@1.0.0', 'pkg:npm/forks@1.0.0', 'pkg:npm/hangs@1.0.0']));
    expect(installs[0]?.failed).not.toContain('pkg:npm/builds-offline@1.0.0');
  });

  it('leaves it unchecked, and not complete, where no client is tried', async () => {
    expect(await productOf('other')).toMatchObject({ complete: false, installs: [{ state: 'unchecked' }] });
    expect((await productOf('other')).missing).toEqual([expect.stringMatching(/^unchecked: .*pkg:npm\/builds-offline@1\.0\.0$/)]);
  });

  it('is not made again by the next start, and made again with another lock', async () => {
    const unchanged = await mirror();
    await site.lock('still', ['quiet', 'by-fetch']);

    const changed = await mirror();

    expect(unchanged).toEqual([]);
    expect(changed).toEqual(['still/package-lock.json']);
    expect(await productOf('still')).toMatchObject({ complete: false, installs: [{ downloads: [{ host: 'fetched.example', port: 443 }] }] });
  });

  it('leaves it unchecked as long as it can not be made', async () => {
    const config = JSON.parse(readFileSync(site.configFile, 'utf8'));
    writeFileSync(site.configFile, JSON.stringify({ ...config, data: 'without-tools' }));
    site.withdrawTools();

    await mirror();

    const { complete, missing } = await productOf('offline');
    expect(complete).toBe(false);
    expect(missing).toEqual([expect.stringMatching(/^unchecked: installing it was not tried yet: .*node-linux/)]);
  });
});
