import type { LocalRepository } from '@granary/contract/ports';
import { describe, expect, it } from 'vitest';
import { heldCommit, heldFrom, nestedTrees } from './test/held-history.ts';
import { blobOf, idOf } from './test/raw-pack.ts';
import { upstreamRepository } from './test/upstream-repository.ts';

const LIMITS = { minBytes: 2, maxBytes: 10, maxFiles: 100 };

async function textsOf(repository: LocalRepository, tips: readonly string[], limits = LIMITS): Promise<readonly string[]> {
  const texts: string[] = [];
  await repository.smallFiles(tips, limits, (contents) => texts.push(Buffer.from(contents).toString()));
  return texts.toSorted();
}

describe('small files', () => {
  it.each(['sha1', 'sha256'] as const)('are those of the trees of these tips, each once, in a repository of %s', async (objectFormat) => {
    const upstream = await upstreamRepository(objectFormat);
    const first = upstream.commit('only/in-the-first', 'first');
    upstream.git('rm', '--quiet', 'only/in-the-first');
    upstream.commit('a', '0123456789');
    upstream.commit('d/e/same as a', '0123456789');
    upstream.commit('too large', '0123456789a');
    upstream.commit('too small', 'x');
    const second = upstream.commit('d/b', 'b\n');
    upstream.git('tag', '--annotate', '--message', 'm', 'v1', second);
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const named = upstream.pipe('named\n', 'hash-object', '-w', '--stdin');
    const repository = await heldFrom(upstream, [first, tag, named], objectFormat);

    expect(await textsOf(repository, [tag, second, named, tag])).toEqual(['0123456789', 'b\n', 'named\n']);
    expect(await textsOf(repository, [first])).toEqual(['first']);
    expect(await textsOf(repository, [])).toEqual([]);
  });

  it('of trees that hold each other a million times over are read once', async () => {
    const leaf = blobOf('text\n');
    const id = idOf('blob', leaf.bytes);
    const trees = nestedTrees(6, { mode: '100644', id });
    const top = trees.at(-1) ?? trees[0];
    const { repository, commit } = await heldCommit([['40000', 'top', idOf('tree', top?.bytes ?? new Uint8Array())]], [leaf, ...trees]);

    expect(await textsOf(repository, [commit])).toEqual(['text\n']);
  });

  it('are not read where there are too many, or a tip is not here', async () => {
    const upstream = await upstreamRepository();
    for (const name of ['a', 'b', 'c']) upstream.commit(name, `${name} text`);
    const commit = upstream.git('rev-parse', 'HEAD');
    const repository = await heldFrom(upstream, [commit]);

    await expect(textsOf(repository, [commit], { ...LIMITS, maxFiles: 2 })).rejects.toMatchObject({ name: 'RepositoryError', code: 'too-large' });
    expect(await textsOf(repository, [commit], { ...LIMITS, maxFiles: 3 })).toHaveLength(3);
    await expect(textsOf(repository, ['1'.repeat(40)])).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
    await expect(textsOf(repository, ['--all'])).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
  });
});
