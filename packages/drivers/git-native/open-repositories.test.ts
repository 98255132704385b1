import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryStore } from '@granary/contract/memory';
import type { LocalRepository, TakenPack } from '@granary/contract/ports';
import { sha256, toSha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { checkGitHost, openRepositories } from './index.ts';
import { folderBlobs } from './test/folder-blobs.ts';
import { footprint } from './test/footprint.ts';
import { LIMITS, type OpenedDriver, openDriver } from './test/open-driver.ts';
import { commitOf, idOf, rawPack, treeOf } from './test/raw-pack.ts';
import { scratchFolder } from './test/scratch-folder.ts';
import { inPieces } from './test/upstream-repository.ts';

/** A file of about `size` bytes that doesn't compress, which alone is a pack. */
function noise(seed: string, size = 10_000) {
  const bytes = Buffer.concat(Array.from({ length: Math.ceil(size / 32) }, (_, n) => Buffer.from(sha256(`${seed} ${n}`), 'hex')));
  return { pack: rawPack([{ type: 'blob', bytes }]), id: idOf('blob', bytes) };
}

function take(repository: LocalRepository, { pack, id }: ReturnType<typeof noise>): Promise<TakenPack> {
  return repository.take(inPieces(pack), [id], LIMITS);
}

const heldFolders = ({ folder }: OpenedDriver): Promise<readonly string[]> => readdir(join(folder, 'held'));

async function packFiles(driver: OpenedDriver): Promise<readonly string[]> {
  const [id = ''] = await heldFolders(driver);
  const folder = join(driver.folder, 'held', id, 'objects', 'pack');
  return (await readdir(folder)).map((name) => join(folder, name)).sort();
}

describe('a repository that is opened', () => {
  it('is made from the packs of the store, once', async () => {
    const made = await openDriver();
    const one = noise('one');
    const taken = await take(await made.open(), one);
    const driver = await openDriver({ blobs: made.blobs });

    const repository = await driver.open([taken]);

    expect(await repository.having([one.id])).toEqual(new Set([one.id]));
    const before = await Promise.all((await packFiles(driver)).map(async (path) => (await stat(path)).mtimeMs));
    await driver.open([taken]);
    expect(await Promise.all((await packFiles(driver)).map(async (path) => (await stat(path)).mtimeMs))).toEqual(before);
  });

  it('is another one for another name or object format, whatever the name', async () => {
    const driver = await openDriver();
    const names = ['r', '../r', 'a/../../b', '', '\0', 'x'.repeat(10_000), '--upload-pack=touch x'];

    for (const name of names) await take(await driver.open([], 'sha1', name), noise(name.slice(0, 20)));
    await driver.open([], 'sha256', 'r');

    expect(await heldFolders(driver)).toHaveLength(names.length + 1);
    expect(await (await driver.open([], 'sha1', 'r')).having([noise('r').id, noise('../r').id])).toEqual(new Set([noise('r').id]));
    expect((await readdir(driver.folder)).sort()).toEqual(expect.arrayContaining(['held', 'scratch', 'shown']));
  });

  it('is refused when the store lacks a pack, or has other bytes', async () => {
    const made = await openDriver();
    const taken = await take(await made.open(), noise('one'));
    const driver = await openDriver();
    const damaged = { ...made.blobs, open: async (digest: typeof taken.pack) => await made.blobs.open(digest === taken.pack ? taken.index : digest) };

    await expect(driver.open([taken])).rejects.toMatchObject({ name: 'RepositoryError', code: 'incomplete', message: expect.stringContaining(taken.pack) });
    await expect((await openDriver({ blobs: damaged })).open([taken])).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(driver.open([{ pack: toSha256('0'.repeat(64)), index: taken.index }])).rejects.toMatchObject({ code: 'incomplete' });
    expect(await packFiles(driver)).toEqual([]);
  });

  it.each([
    ['a pack is missing', (path: string) => rm(path.replace(/idx$/, 'pack'))],
    ['an index is missing', (path: string) => rm(path)],
    ['a pack is shorter', (path: string) => truncate(path.replace(/idx$/, 'pack'), 100)],
    ['the list is damaged', (path: string) => writeFile(join(path, '../../../held.json'), '{"version":1,"packs":["')],
    ['the list is gone', (path: string) => rm(join(path, '../../../held.json'))],
    ['settings were put there', (path: string) => writeFile(join(path, '../../../config'), '[core]\n\tbare = tr')],
    ['files were put there', (path: string) => writeFile(path.replace(/pack-[^/]*$/, 'pack-1234.idx'), 'x')],
  ])('is made again when %s', async (_, damage) => {
    const driver = await openDriver();
    const [one, two] = [noise('one'), noise('two')];
    const repository = await driver.open();
    const packs = [await take(repository, one), await take(repository, two)];
    const before = await packFiles(driver);
    await driver.close();
    await damage(before.find((path) => path.endsWith('.idx')) ?? '');

    const again = await openDriver(driver);

    expect(await (await again.open(packs)).having([one.id, two.id])).toEqual(new Set([one.id, two.id]));
    expect(await packFiles(again)).toEqual(before);
  });
});

describe('a pack that rots', () => {
  it('is read from the store again, once git has met it', async () => {
    const driver = await openDriver();
    const repository = await driver.open();
    const tree = treeOf([]);
    const commit = commitOf(idOf('tree', tree.bytes));
    const tip = idOf('commit', commit.bytes);
    const packs = [await repository.take(inPieces(rawPack([commit, tree])), [tip], LIMITS)];
    const path = (await packFiles(driver)).find((name) => name.endsWith('.pack')) ?? '';
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(30, 0xff), 0, 30, 20);
    await file.close();

    await expect(repository.history([tip], 1)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });

    expect(await repository.history([tip], 1)).toEqual([tip]);
    expect(await (await driver.open(packs)).having([tip])).toEqual(new Set([tip]));
  });
});

describe('folders that take too much', () => {
  it('go, those first that nobody asked for the longest, and come back when they are asked for', async () => {
    const driver = await openDriver({ maxBytes: 350_000 });
    const [a, b, c] = [noise('a', 100_000), noise('b', 100_000), noise('c', 150_000)];
    const first = await driver.open([], 'sha1', 'a');
    await take(first, a);
    await take(await driver.open([], 'sha1', 'b'), b);
    expect(await heldFolders(driver)).toHaveLength(2);
    await first.having([a.id]);

    await take(await driver.open([], 'sha1', 'c'), c);

    expect(await heldFolders(driver)).toHaveLength(2);
    expect(await heldFolders(driver)).not.toContain(sha256(JSON.stringify(['sha1', 'b'])));
    await driver.open([], 'sha1', 'b');
    expect(await first.having([a.id])).toEqual(new Set([a.id]));
  });

  it('stay while they are in use, and an earlier process’s count too', async () => {
    const driver = await openDriver({ maxBytes: 150_000 });
    const [a, b] = [noise('a', 100_000), noise('b', 100_000)];
    const first = await driver.open([], 'sha1', 'a');
    await take(first, a);
    let resume: () => void = () => undefined;
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      await new Promise<void>((resolve) => {
        resume = resolve;
      });
      yield* inPieces(noise('more').pack);
    };

    const taking = first.take(slow(), [], LIMITS);
    await take(await driver.open([], 'sha1', 'b'), b);
    expect(await heldFolders(driver)).toContain(sha256(JSON.stringify(['sha1', 'a'])));
    resume();
    await taking;
    await driver.close();

    const again = await openDriver({ ...driver, maxBytes: 150_000 });
    await take(await again.open([], 'sha1', 'c'), noise('c', 100_000));
    expect(await heldFolders(again)).toEqual([sha256(JSON.stringify(['sha1', 'c']))]);
  });
});

describe('the folder', () => {
  it('belongs to one process at a time', async () => {
    const driver = await openDriver();

    await expect(openDriver(driver)).rejects.toMatchObject({
      name: 'RepositoryError',
      code: 'unavailable',
      message: expect.stringContaining('another process'),
    });

    await driver.close();
    await openDriver(driver);
  });

  it('holds what it acknowledged, and nothing half, whenever the process is killed', { timeout: 180_000 }, async () => {
    const data = await scratchFolder();
    const folder = join(data, 'git');
    const acknowledged = new Map<string, { readonly pack: string; readonly index: string }>();

    for (let round = 0; round < 6; round += 1) {
      for (const line of await takeUntilKilled(data, round)) {
        const [id = '', pack = '', index = ''] = line.split(' ');
        acknowledged.set(id, { pack, index });
      }
      const driver = await openDriver({ folder, blobs: await folderBlobs(join(data, 'store')) });
      expect(await readdir(join(folder, 'scratch'))).toEqual([]);
      const packs = [...acknowledged.values()].map(({ pack, index }) => ({ pack: toSha256(pack), index: toSha256(index) }));
      const here = await (await driver.open(packs)).having([...acknowledged.keys()]);
      expect(here).toEqual(new Set(acknowledged.keys()));
      for (const path of await footprint(driver)) expect(path).not.toMatch(/tmp_|\.incoming/);
      await driver.close();
    }
    expect(acknowledged.size).toBeGreaterThan(0);
  });
});

/** What a process acknowledged before it was killed, at another moment in each round. */
async function takeUntilKilled(data: string, round: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'test/endless-taker.ts'), data, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), round * 50);
    output += text;
  });
  await ended;
  return output.split('\n').slice(0, -1);
}

describe('a machine without git', () => {
  it('is told what to install, or what is too old', async () => {
    const folder = await scratchFolder();
    const { blobs } = memoryStore();
    const old = join(folder, 'old/bin/git');
    await mkdir(join(folder, 'old/bin'), { recursive: true });
    await writeFile(old, '#!/bin/sh\necho git version 2.30.2\n');
    await chmod(old, 0o755);
    const opening = (git: string) => openRepositories({ folder: join(folder, 'data'), blobs, maxBytes: 1, git });

    await expect(opening(old)).rejects.toMatchObject({ code: 'unavailable', message: 'run git: git version 2.30.2 is too old: 2.39 or newer is needed' });
    await expect(opening('/nonexistent/git')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('/nonexistent/git') });
    expect(await checkGitHost()).toMatchObject({ ok: true, version: expect.stringMatching(/^2\./) });
  });
});
