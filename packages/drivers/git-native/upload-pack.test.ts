import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { gitServer } from './test/git-server.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
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
