import { describe, expect, it } from 'vitest';
import { heldFrom } from './test/held-history.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { commitOf, idOf, type RawObject, rawPack, treeOf } from './test/raw-pack.ts';
import { inPieces, upstreamRepository } from './test/upstream-repository.ts';

const idsOf = (commits: readonly { readonly objectId: string }[]): readonly string[] => commits.map(({ objectId }) => objectId);

describe('commits that touched a path', () => {
  it.each(['sha1', 'sha256'] as const)('are found newest first, with their times, of a repository of %s', async (objectFormat) => {
    const upstream = await upstreamRepository(objectFormat);
    const one = upstream.commit('p/package.json', '1');
    const other = upstream.commit('p.json', '1');
    const two = upstream.commit('p/package.json', '2');
    upstream.git('checkout', '--quiet', '-b', 'side', other);
    const side = upstream.commit('p/package.json', '3');
    upstream.git('tag', '--annotate', '--message', 'm', 'v1', two);
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const repository = await heldFrom(upstream, [side, tag], objectFormat);
    const tips = [side, tag, two, upstream.git('rev-parse', 'HEAD^{tree}'), '1'.repeat(one.length)];

    const found = await repository.commitsTouching(tips, 'p/package.json', 10);

    expect(idsOf(found)).toEqual([side, two, one]);
    expect(found.map(({ committedAt }) => Date.parse(committedAt) / 1000)).toEqual(
      [side, two, one].map((id) => Number(upstream.git('show', '--no-patch', '--format=%ct', id))),
    );
    expect(idsOf(await repository.commitsTouching(tips, 'p', 2))).toEqual([side, two]);
    expect(idsOf(await repository.commitsTouching(tips, '', 10))).toEqual([side, two, other, one]);
    expect(await repository.commitsTouching(tips, 'p', 0)).toEqual([]);
    expect(await repository.commitsTouching([], 'p', 10)).toEqual([]);
  });

  it('are found on a branch too of which a merge took nothing', async () => {
    const upstream = await upstreamRepository();
    const root = upstream.commit('version', '1');
    upstream.git('checkout', '--quiet', '-b', 'release');
    const released = upstream.commit('version', '2');
    upstream.git('checkout', '--quiet', '-b', 'next', root);
    upstream.commit('code', 'x');
    upstream.git('merge', '--quiet', '--strategy', 'ours', '--message', 'm', 'release');
    const tip = upstream.git('rev-parse', 'HEAD');

    const found = await (await heldFrom(upstream, [tip])).commitsTouching([tip], 'version', 10);

    expect(idsOf(found)).toContain(released);
    expect(idsOf(found)).toContain(root);
  });

  it('are looked for by a path as it is: no pattern, option or place elsewhere', async () => {
    const upstream = await upstreamRepository();
    const star = upstream.commit('*', '1');
    const magic = upstream.commit(':(top)a', '1');
    const option = upstream.commit('--all', '1');
    const lines = upstream.commit('ü\nline\r', '1');
    const tip = upstream.commit('a', '1');
    const repository = await heldFrom(upstream, [tip]);
    const at = async (path: string): Promise<readonly string[]> => idsOf(await repository.commitsTouching([tip], path, 10));

    expect([await at('*'), await at(':(top)a'), await at('--all'), await at('ü\nline\r')]).toEqual([[star], [magic], [option], [lines]]);
    for (const path of ['[a]', ':/', 'A', '.', './a', '../a', '/a', 'a/', 'a\0', '\ud800', 'n'.repeat(4097)]) expect(await at(path)).toEqual([]);
  });

  it('may have thousands of tips, and times that no calendar has', async () => {
    const tree = treeOf([]);
    const dated = (message: string, time: string): RawObject & { readonly type: 'commit' } => {
      const { bytes } = commitOf(idOf('tree', tree.bytes), { message });
      return {
        type: 'commit',
        bytes: Buffer.from(
          Buffer.from(bytes)
            .toString()
            .replace(/(committer .*> ).*/, `$1${time}`),
        ),
      };
    };
    const many = Array.from({ length: 3000 }, (_, n) => dated(String(n), `${1_600_000_000 + n} +0000`));
    const strange = ['99999999999999999999 +0000', '253402300800 +0000', '253402300799 +0000'].map((time) => dated('m', time));
    const tips = [...many, ...strange].map(({ bytes }) => idOf('commit', bytes));
    const repository = await (await openDriver()).open();
    await repository.take(inPieces(rawPack([tree, ...many, ...strange])), tips, LIMITS);

    const found = await repository.commitsTouching(tips, '', 10_000);

    expect(found).toHaveLength(3003);
    expect(found[0]?.committedAt).toBe('9999-12-31T23:59:59.000Z');
    expect(found[1]).toEqual({ objectId: tips[2999], committedAt: '2020-09-13T13:16:39.000Z' });
    expect(found.slice(-2).map(({ committedAt }) => committedAt)).toEqual(['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z']);
  });

  it('are not looked for by what is no object id, or after the driver is closed', async () => {
    const driver = await openDriver();
    const repository = await driver.open();

    for (const id of ['HEAD', '--all', '', '1'.repeat(64)])
      await expect(repository.commitsTouching([id], 'a', 1)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
    await driver.close();
    await expect(repository.commitsTouching(['1'.repeat(40)], 'a', 1)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
