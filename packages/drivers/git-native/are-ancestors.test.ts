import { describe, expect, it } from 'vitest';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { inPieces, upstreamRepository } from './test/upstream-repository.ts';

describe('histories', () => {
  it('are told to go on, or not', async () => {
    const upstream = await upstreamRepository();
    const first = upstream.commit('a', '1');
    upstream.git('tag', '--annotate', '--message', 'm', 'v1');
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const second = upstream.commit('a', '2');
    const third = upstream.commit('a', '3');
    upstream.git('checkout', '--quiet', '-b', 'side', first);
    const side = upstream.commit('b', '4');
    const tree = upstream.git('rev-parse', 'HEAD^{tree}');
    const repository = await (await openDriver()).open();
    await repository.take(inPieces(upstream.pack([third, side, tag])), [third, side, tag], LIMITS);

    const pairs = [
      { before: first, after: third, expected: true },
      { before: tag, after: third, expected: true },
      { before: third, after: first, expected: false },
      { before: second, after: side, expected: false },
      { before: side, after: side, expected: true },
      { before: tree, after: side, expected: false },
      { before: first, after: tree, expected: false },
      { before: '2'.repeat(40), after: third, expected: false },
    ];

    expect(await repository.areAncestors(pairs)).toEqual(pairs.map(({ expected }) => expected));
    expect(await repository.peel([tag, tree, side, '1'.repeat(40)])).toEqual(
      new Map([
        [tag, { objectId: first, type: 'commit' }],
        [tree, { objectId: tree, type: 'tree' }],
        [side, { objectId: side, type: 'commit' }],
      ]),
    );
    expect(await repository.history([tag, tree, third, '1'.repeat(40)], 2)).toEqual([third, second]);
    expect(await repository.history([third], 100)).toEqual([third, second, first]);
    expect(await repository.history([tree], 100)).toEqual([]);
  });

  it('are compared in few processes where thousands of refs changed', async () => {
    const upstream = await upstreamRepository();
    const root = upstream.commit('a', '1');
    const lines = [root, ...Array.from({ length: 400 }, () => '')];
    const stream = lines
      .slice(1)
      .map(
        (_, n) =>
          `commit refs/heads/b${n}\nmark :${n + 1}\ncommitter A <a@upstream.example> ${1_700_000_000 + n} +0000\ndata 1\nm\nfrom ${n < 200 ? (n === 0 ? root : `:${n}`) : root}\n`,
      );
    upstream.pipe(stream.join(''), 'fast-import', '--quiet');
    const refs = upstream.refs();
    const id = (n: number): string => refs.get(`refs/heads/b${n}`) ?? '';
    const tips = [...new Set(refs.values())];
    const repository = await (await openDriver()).open();
    await repository.take(inPieces(upstream.pack(tips)), tips, LIMITS);
    const goingOn = Array.from({ length: 199 }, (_, n) => ({ before: id(n), after: id(n + 1), expected: true }));
    const rewritten = Array.from({ length: 199 }, (_, n) => ({ before: id(n + 200), after: id(n + 201), expected: false }));
    const fromRoot = Array.from({ length: 400 }, (_, n) => ({ before: root, after: id(n), expected: true }));
    const pairs = [...goingOn, ...rewritten, ...fromRoot];

    expect(await repository.areAncestors(pairs)).toEqual(pairs.map(({ expected }) => expected));
  });

  it('refuses what is no object id before git sees it', async () => {
    const repository = await (await openDriver()).open();

    for (const id of ['--all', 'HEAD', '', '0'.repeat(40), `${'1'.repeat(40)}\n--all`, '1'.repeat(64)]) {
      await expect(repository.having([id])).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
      await expect(repository.peel([id])).rejects.toMatchObject({ code: 'malformed' });
      await expect(repository.history([id], 1)).rejects.toMatchObject({ code: 'malformed' });
      await expect(repository.areAncestors([{ before: id, after: id }])).rejects.toMatchObject({ code: 'malformed' });
    }
  });
});
