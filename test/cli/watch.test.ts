import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { wheel } from '../bad-input/hostile-archives.ts';
import { granary, startGranary } from '../machine/granary.ts';
import { cleanEnvironment, uvPath } from '../machine/uv.ts';
import { type LoopbackUpstream, openLoopbackUpstream } from '../upstream/loopback-upstream.ts';
import { downloadWheels } from '../upstream/sample-projects.ts';

// A dozen processes one after the other, on a machine that may be busy.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const Report = z.object({
  outcomes: z.array(z.object({ specification: z.string(), change: z.string(), state: z.string().nullable() })),
  left: z.array(z.object({ path: z.string(), why: z.string() })),
});
const Estimate = z.object({
  specifications: z.array(z.object({ specification: z.string(), files: z.number(), missing: z.array(z.string()), problem: z.string().nullable() })),
  total: z.object({ files: z.number(), bytes: z.number(), requests: z.number(), costPerMonth: z.number().nullable(), held: z.object({ files: z.number() }) }),
});
const Status = z.object({
  watched: z.array(z.object({ specification: z.string(), complete: z.boolean(), files: z.number(), missing: z.array(z.string()) })),
  requested: z.array(z.string()),
  ledgers: z.array(z.object({ size: z.number() })),
});
const NAMES = ['good', 'better', 'broken', 'ours-one', 'late'];

let folder = '';
let upstream: LoopbackUpstream;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'granary-watch-'));
  upstream = await openLoopbackUpstream();
  for (const name of NAMES) upstream.publish({ ...native(name), uploadTime: '2024-06-01T00:00:00Z' });
  for (const { project, path } of await downloadWheels(join(folder, 'tools'), ['uv'])) upstream.publishPath(path, { project });
  const config = { upstreams: { pypi: { index: upstream.index } }, listen: '127.0.0.1:0', prices: { perGiBMonth: 1024 } };
  await writeFile(join(folder, 'granary.yaml'), JSON.stringify({ ...config, requests: { accept: ['pkg:pypi/ours-*'] } }));
  await mkdir(join(folder, 'product/node_modules/x'), { recursive: true });
  await writeFile(join(folder, 'product/requirements.txt'), lockOf('good', 'better'));
  await writeFile(join(folder, 'product/dev-requirements.txt'), 'good>0\n');
  await writeFile(join(folder, 'product/node_modules/x/bom.json'), bom('pkg:pypi/broken@1.0'));
  await writeFile(join(folder, 'product/bom.json'), bom('pkg:pypi/good@1.0', 'pkg:deb/debian/openssl@3', undefined));
});
afterAll(async () => {
  await upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Holds machine code by its name: nobody tries to rebuild it, so that nothing has to be made for that. */
function native(name: string): ReturnType<typeof wheel> {
  return { ...wheel(name), fileName: `${name.replaceAll('-', '_')}-1.0-cp311-cp311-manylinux_2_17_x86_64.whl` };
}

function lockOf(...names: readonly string[]): string {
  return names.map((name) => `${name}==1.0 --hash=sha256:${createHash('sha256').update(native(name).bytes).digest('hex')}\n`).join('');
}

function bom(...purls: readonly (string | undefined)[]): string {
  return JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components: purls.map((purl) => ({ type: 'library', name: 'nameless', purl })) });
}

async function watch<T>(schema: z.ZodType<T>, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await granary(['watch', ...args, '--json'], { cwd: folder });
  if (code !== 0) throw new Error(`watch ${args.join(' ')} ended with ${code}:\n${stderr}`);
  return schema.parse(JSON.parse(stdout));
}

async function status() {
  const { stdout } = await granary(['status', '--json'], { cwd: folder });
  return Status.parse(JSON.parse(stdout));
}

async function productOf(specification: string) {
  return (await status()).watched.find((product) => product.specification === specification);
}

async function up() {
  const { code, stderr } = await granary(['up', '--once', '--json'], { cwd: folder });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
}

describe('granary watch', () => {
  it('says what a folder would come to, and neither writes nor fetches any of it', async () => {
    const estimated = await watch(Estimate, 'add', './product', '--dry-run');

    expect(estimated.specifications.map(({ specification, files }) => [specification, files])).toEqual([
      ['product/bom.json', 1],
      ['product/requirements.txt', 2],
    ]);
    const bytes = native('good').bytes.length + native('better').bytes.length;
    expect(estimated.total).toMatchObject({ files: 2, bytes, requests: 4, held: { files: 0 }, costPerMonth: Math.round((bytes / 2 ** 20) * 100) / 100 });
    expect(upstream.requests.filter((path) => path.startsWith('/packages/'))).toEqual([]);
    expect((await granary(['watch', 'list'], { cwd: folder })).code).toBe(66);
  });

  it('says what a range would come to, resolved with what upstream has, and leaves nothing behind', async () => {
    const { specifications, total } = await watch(Estimate, 'add', 'pkg:pypi/good@^1', '--dry-run');
    const none = await watch(Estimate, 'add', 'pkg:pypi/good@^2', '--dry-run');

    expect(specifications).toMatchObject([{ specification: 'pkg:pypi/good@^1', files: 1, problem: null }]);
    expect(total).toMatchObject({ files: 1, bytes: native('good').bytes.length, requests: 2 });
    expect(none.specifications).toMatchObject([{ files: 0, problem: expect.stringMatching(/^resolve pkg:pypi\/good@\^2: .*good/) }]);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('granary-look-up-'))).toEqual([]);
    expect((await granary(['watch', 'list'], { cwd: folder })).code).toBe(66);
  });

  it('takes the locks and SBOMs of a folder while nothing runs, and says what it left', async () => {
    const { outcomes, left } = await watch(Report, 'add', './product');

    expect(outcomes).toEqual([
      { specification: 'product/bom.json', change: 'changed', state: 'recorded' },
      { specification: 'product/requirements.txt', change: 'changed', state: 'recorded' },
    ]);
    expect(left.map(({ path }) => path)).toEqual(['dev-requirements.txt', 'node_modules']);
    expect((await watch(Report, 'add', './product/bom.json')).outcomes).toMatchObject([{ change: 'unchanged' }]);
    expect((await productOf('product/bom.json'))?.missing).toEqual(['not resolved yet']);
  });

  it('has it mirrored by the next start; only what is covered wholly is called complete', async () => {
    await up();

    expect(await productOf('product/requirements.txt')).toMatchObject({ complete: true, files: 2, missing: [] });
    expect(await productOf('product/bom.json')).toMatchObject({
      complete: false,
      missing: ['library nameless: has no package URL', 'pkg:deb/debian/openssl@3: packages of type deb are not mirrored here'],
    });
    expect(await granary(['status', '--require-complete'], { cwd: folder })).toMatchObject({ code: 1, stderr: 'granary: status: 1 of 2 are not complete\n' });
    expect((await granary(['watch', 'remove', './product/bom.json'], { cwd: folder })).code).toBe(0);
    expect((await granary(['status', '--require-complete'], { cwd: folder })).code).toBe(0);
  });

  it('is taken up by a site that runs, and a request by the rule that names it', async () => {
    await using running = startGranary(['up'], { cwd: folder });
    await running.said(/Following upstream/);

    expect((await watch(Report, 'add', 'pkg:pypi/late@1.0', '--quota', '1B')).outcomes).toMatchObject([{ change: 'changed', state: 'recorded' }]);
    await writeFile(join(folder, 'late-requirements.txt'), lockOf('late'));
    await watch(Report, 'add', 'late-requirements.txt');
    for (const name of ['ours-one', 'theirs']) await watch(Report, 'request', `pkg:pypi/${name}@1.0`);

    await vi.waitFor(async () => expect(await productOf('late-requirements.txt')).toMatchObject({ complete: true, files: 1 }), {
      timeout: 120_000,
      interval: 500,
    });
    expect((await status()).requested).toEqual(['pkg:pypi/theirs@1.0']);
    expect((await granary(['watch', 'remove', 'pkg:pypi/late@1.0', 'pkg:pypi/ours-one@1.0'], { cwd: folder })).code).toBe(0);
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(143);
  });

  it('takes nothing of what is above its quota, and says what that comes to', async () => {
    await writeFile(join(folder, 'big-requirements.txt'), lockOf('good', 'broken'));
    await watch(Report, 'add', 'big-requirements.txt', '--quota', '1kB');

    const bytes = native('good').bytes.length + native('broken').bytes.length;
    await up();

    expect(await productOf('big-requirements.txt')).toMatchObject({
      complete: false,
      missing: [`above its quota: 2 files of ${bytes} bytes, the quota is 1000 bytes`],
    });
    expect((await granary(['why', 'pkg:pypi/broken'], { cwd: folder })).code).toBe(66);
    await watch(Report, 'remove', 'big-requirements.txt');
  });

  it('shows from another process why a file is missing', async () => {
    upstream.fault(native('broken').fileName, 'wrong-digest');
    await writeFile(join(folder, 'broken-requirements.txt'), lockOf('broken'));
    await watch(Report, 'add', 'broken-requirements.txt');

    await up();

    expect(await productOf('broken-requirements.txt')).toMatchObject({
      complete: false,
      missing: [expect.stringMatching(/^pkg:pypi\/broken@\S+: .*sha256 is/)],
    });
  });

  it('takes the SBOM that cyclonedx-py makes of requirements', async () => {
    await writeFile(join(folder, 'made.txt'), lockOf('good', 'better'));
    const made = join(folder, 'made.cdx.json');
    await promisify(execFile)(
      await uvPath(),
      ['tool', 'run', '--from', 'cyclonedx-bom==7.5.0', 'cyclonedx-py', 'requirements', '--of', 'JSON', '--output-file', made, join(folder, 'made.txt')],
      { env: { ...cleanEnvironment(), UV_CACHE_DIR: join(folder, 'uv-cache') } },
    );

    const { specifications } = await watch(Estimate, 'add', 'made.cdx.json', '--dry-run');

    expect(specifications).toMatchObject([{ specification: 'made.cdx.json', files: 2, missing: [], problem: null }]);
  });

  it.each([
    ['66 what is not there', 66, ['add', 'nowhere.lock']],
    ['64 what nobody understands', 64, ['add', 'granary.yaml']],
    ['64 a package URL of another kind', 64, ['add', 'pkg:deb/debian/openssl']],
    ['64 a quota that is no size', 64, ['add', 'pkg:pypi/good', '--quota', 'much']],
    ['66 what is not watched', 66, ['remove', 'pkg:pypi/unheard-of']],
    ['64 a path that is requested', 64, ['request', 'product/requirements.txt']],
    ['66 a folder with nothing in it', 66, ['add', 'data/keys']],
  ])('refuses with %s', async (_what, expected, args) => {
    const { code, stdout, stderr } = await granary(['watch', ...args], { cwd: folder });

    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
