import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { UploadPackRequest } from '@granary/contract/ports';
import { describe, expect, it } from 'vitest';
import type { RepositoriesOptions } from './index.ts';
import { gitServer } from './test/git-server.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { commitOf, idOf, rawPack, treeOf } from './test/raw-pack.ts';
import { scratchFolder } from './test/scratch-folder.ts';
import { inPieces, type UpstreamRepository, upstreamRepository } from './test/upstream-repository.ts';

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' },
    maxBuffer: 1 << 28,
  });
  return stdout.trim();
}

async function served(upstream: UpstreamRepository, objectFormat: 'sha1' | 'sha256' = 'sha1') {
  const driver = await openDriver();
  const repository = await driver.open([], objectFormat);
  const tips = [...new Set(upstream.refs().values())];
  await repository.take(inPieces(upstream.pack(tips)), tips, LIMITS);
  const shown = { refs: upstream.refs(), head: 'refs/heads/main' };
  return { ...driver, repository, shown, url: await gitServer(repository, shown) };
}

async function project(objectFormat: 'sha1' | 'sha256' = 'sha1'): Promise<UpstreamRepository> {
  const upstream = await upstreamRepository(objectFormat);
  upstream.commit('a', 'one\n');
  upstream.git('tag', '--annotate', '--message', 'first', 'v1');
  upstream.commit('b/c', 'two\n');
  upstream.git('branch', 'other');
  upstream.commit('a', 'three\n');
  return upstream;
}

describe('a clone', () => {
  it.each([
    ['sha1', 0],
    ['sha1', 1],
    ['sha1', 2],
    ['sha256', 2],
  ] as const)('has all refs and objects, of a repository of %s by protocol %i', async (objectFormat, protocol) => {
    const upstream = await project(objectFormat);
    const { url } = await served(upstream, objectFormat);
    const copy = join(await scratchFolder(), 'copy');

    await git('-c', `protocol.version=${protocol}`, 'clone', '--quiet', '--mirror', url, copy);

    expect(await git('-C', copy, 'for-each-ref')).toBe(upstream.git('for-each-ref'));
    expect(await git('-C', copy, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(await git('-C', copy, 'rev-list', '--all', '--objects')).toBe(upstream.git('rev-list', '--all', '--objects'));
    await git('-C', copy, 'fsck', '--strict');
  });

  it('may be shallow, or without blobs', async () => {
    const upstream = await project();
    const { url } = await served(upstream);
    const folder = await scratchFolder();

    await git('clone', '--quiet', '--depth=1', url, join(folder, 'shallow'));
    await git('clone', '--quiet', '--filter=blob:none', '--no-checkout', url, join(folder, 'partial'));

    expect(await git('-C', join(folder, 'shallow'), 'rev-list', '--all', '--count')).toBe('1');
    expect(await git('-C', join(folder, 'partial'), 'rev-list', '--all', '--objects', '--missing=print')).toMatch(/^\?/m);
    await git('-C', join(folder, 'shallow'), 'fetch', '--quiet', '--unshallow');
    expect(await git('-C', join(folder, 'shallow'), 'rev-list', 'HEAD', '--count')).toBe('3');
  });

  it('shows what a ref was once, and gives by its id what no ref has any more', async () => {
    const upstream = await project();
    const lost = upstream.git('rev-parse', 'main');
    const { repository, shown } = await served(upstream);
    const before = await gitServer(repository, shown);
    upstream.git('reset', '--quiet', '--hard', 'other');
    const tip = upstream.commit('a', 'rewritten\n');
    await repository.take(inPieces(upstream.pack([tip], [lost])), [tip], LIMITS);
    const after = await gitServer(repository, { refs: new Map([['refs/heads/main', tip]]), head: 'refs/heads/main' });
    const copy = join(await scratchFolder(), 'copy');

    await git('clone', '--quiet', after, copy);

    expect(await git('-C', copy, 'rev-parse', 'HEAD')).toBe(tip);
    expect(await git('ls-remote', before, 'refs/heads/main')).toContain(lost);
    expect(await git('ls-remote', after)).not.toContain(lost);
    await git('-C', copy, 'fetch', '--quiet', 'origin', lost);
    expect(await git('-C', copy, 'rev-parse', 'FETCH_HEAD')).toBe(lost);
  });
});

const advertise = { operation: 'advertise', protocol: 'version=2', body: inPieces(new Uint8Array()) } as const;

function asking(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): UploadPackRequest {
  return { operation: 'upload-pack', protocol: 'version=2', body, ...(signal === undefined ? {} : { signal }) };
}

/** A fetch of one object by protocol 2, without haves. */
function fetchOf(id: string): AsyncIterable<Uint8Array> {
  return inPieces(Buffer.from(`0011command=fetch00010009done\n0032want ${id}\n0000`));
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** One file that doesn't compress: an answer that no pipe holds. */
async function large(options: Partial<RepositoriesOptions> = {}) {
  const driver = await openDriver(options);
  const repository = await driver.open();
  const file = { type: 'blob', bytes: randomBytes(20_000_000) } as const;
  const tree = treeOf([['100644', 'a', idOf('blob', file.bytes)]]);
  const commit = commitOf(idOf('tree', tree.bytes));
  const tip = idOf('commit', commit.bytes);
  await repository.take(inPieces(rawPack([commit, tree, file])), [tip], LIMITS);
  return { ...driver, repository, tip, shown: { refs: new Map([['refs/heads/main', tip]]), head: 'refs/heads/main' } };
}

const gits = async (): Promise<number> => {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  const parents = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')));
  return lines.filter((line, n) => line.includes('upload-pack') && parents[n]?.includes(` ${process.pid} `)).length;
};

describe('refs that are shown', () => {
  it('are all there when they are many, as tags with what they come to', async () => {
    const upstream = await project();
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const { repository } = await served(upstream);
    const refs = new Map(Array.from({ length: 10_000 }, (_, n) => [`refs/pull/${n}/head\u00e9`, tag] as const));
    const url = await gitServer(repository, { refs });

    const listed = (await git('ls-remote', url)).split('\n');

    expect(listed).toHaveLength(20_000);
    expect(listed[1]).toMatch(/\^\{\}$/);
  });

  it('may have no HEAD, or one that names an object', async () => {
    const upstream = await project();
    const { repository, shown } = await served(upstream);
    const main = upstream.git('rev-parse', 'main');

    const without = await git('ls-remote', await gitServer(repository, { refs: shown.refs }));
    const detached = await git('ls-remote', await gitServer(repository, { refs: new Map([['HEAD', main]]) }));

    expect(without).not.toMatch(/HEAD/);
    expect(detached).toBe(`${main}\tHEAD`);
  });

  it.each([
    ['a name with a line of its own', new Map([[`refs/heads/a\n${'1'.repeat(40)} refs/heads/b`, 'tip']]), 'malformed'],
    ['a name outside of refs/', new Map([['config', 'tip']]), 'malformed'],
    ['a name that leaves its folder', new Map([['refs/../config', 'tip']]), 'malformed'],
    ['what is no object id', new Map([['refs/heads/a', 'ref: refs/heads/b']]), 'malformed'],
    ['an object that is not here', new Map([['refs/heads/a', '1'.repeat(40)]]), 'incomplete'],
  ])('are refused: %s', async (_, named, code) => {
    const upstream = await project();
    const { repository } = await served(upstream);
    const refs = new Map([...named].map(([name, id]) => [name, id === 'tip' ? upstream.git('rev-parse', 'main') : id]));

    await expect(repository.uploadPack({ refs }, advertise)).rejects.toMatchObject({ name: 'RepositoryError', code });
    await expect(repository.uploadPack({ refs: new Map(), head: 'refs/heads/a\nb' }, advertise)).rejects.toMatchObject({ code: 'malformed' });
  });
});

describe('what a client sends', () => {
  it('is answered by git, or refused without half an answer', async () => {
    const upstream = await project();
    const { repository, shown } = await served(upstream);

    await expect(repository.uploadPack(shown, asking(inPieces(Buffer.from('GET / HTTP/1.1\r\n'))))).rejects.toMatchObject({ code: 'malformed' });
    await expect(repository.uploadPack(shown, asking(inPieces(Buffer.from('0011command=fetch'))))).rejects.toMatchObject({ code: 'malformed' });
    expect(await read(await repository.uploadPack(shown, asking(fetchOf('1'.repeat(40)))))).toContain('ERR upload-pack: not our ref');
  });

  it('passes on nothing of a header but versions', async () => {
    const upstream = await project();
    const { repository, shown } = await served(upstream);
    const said = async (protocol: string): Promise<string> =>
      read(await repository.uploadPack(shown, { ...advertise, protocol, body: inPieces(new Uint8Array()) }));

    expect(await said('version=2')).toMatch(/^000eversion 2/);
    expect(await said('x=$(id):version=2:\0')).toMatch(/^000eversion 2/);
    expect(await said('version=2\nGIT_DIR=/')).toMatch(/^001e# service=git-upload-pack/);
    expect(await said(`${'x'.repeat(300)}:version=2`)).toMatch(/^001e# service=git-upload-pack/);
  });

  it('may not be endless', async () => {
    const { repository, shown } = await large();
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.from(`0032have ${'1'.repeat(40)}\n`.repeat(1000));
    };

    await expect(repository.uploadPack(shown, asking(endless())).then(read)).rejects.toMatchObject({ name: 'RepositoryError' });
  });

  it('may not keep a process waiting', async () => {
    const { repository, shown, tip } = await large({ serveIdleMs: 1500 });
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('0011command=fetch');
      await new Promise(() => undefined);
    };

    await expect(repository.uploadPack(shown, asking(silent()))).rejects.toMatchObject({ code: 'timeout' });
    const slow = (await repository.uploadPack(shown, asking(fetchOf(tip))))[Symbol.asyncIterator]();
    await slow.next();
    await expect.poll(gits, { timeout: 20_000, interval: 200 }).toBe(0);
    const rest = async (): Promise<void> => {
      while ((await slow.next()).done !== true);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('a client that goes away', () => {
  it('takes its process along: by its signal, or by reading no further', async () => {
    const { repository, shown, tip } = await large();
    const gone = new AbortController();
    const first = (await repository.uploadPack(shown, asking(fetchOf(tip), gone.signal)))[Symbol.asyncIterator]();
    await first.next();
    const second = (await repository.uploadPack(shown, asking(fetchOf(tip))))[Symbol.asyncIterator]();
    await second.next();
    expect(await gits()).toBeGreaterThan(0);

    gone.abort();
    await second.return?.();

    await expect.poll(gits, { timeout: 20_000, interval: 200 }).toBe(0);
    await expect(repository.uploadPack(shown, asking(fetchOf(tip), AbortSignal.abort()))).rejects.toMatchObject({ code: 'unavailable' });
    expect((await read(await repository.uploadPack(shown, asking(fetchOf(tip))))).length).toBeGreaterThan(20_000_000);
  });

  it('lets another one in, of whom only so many are served at a time', async () => {
    const { repository, shown, tip } = await large({ maxServed: 1 });
    const first = (await repository.uploadPack(shown, asking(fetchOf(tip))))[Symbol.asyncIterator]();
    await first.next();
    let isServed = false;
    const second = repository.uploadPack(shown, asking(fetchOf(tip))).then((stream) => {
      isServed = true;
      return read(stream);
    });
    await after(500);
    expect(isServed).toBe(false);

    await first.return?.();

    expect((await second).length).toBeGreaterThan(20_000_000);
  });
});
