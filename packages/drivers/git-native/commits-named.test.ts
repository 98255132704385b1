import { describe, expect, it } from 'vitest';
import { heldFrom } from './test/held-history.ts';
import { upstreamRepository } from './test/upstream-repository.ts';

describe('commits whose ids begin so', () => {
  it.each(['sha1', 'sha256'] as const)(
    'are found with their times, also where no ref that was given reaches them, of a repository of %s',
    async (objectFormat) => {
      const upstream = await upstreamRepository(objectFormat);
      const one = upstream.commit('a', '1');
      const two = upstream.commit('a', '2');
      const repository = await heldFrom(upstream, [two], objectFormat);

      const found = await repository.commitsNamed(one.slice(0, 12));

      expect(found.map(({ objectId, committedAt }) => [objectId, Date.parse(committedAt) / 1000])).toEqual([
        [one, Number(upstream.git('show', '--no-patch', '--format=%ct', one))],
      ]);
      expect((await repository.commitsNamed(two)).map(({ objectId }) => objectId)).toEqual([two]);
    },
  );

  it('are none for other objects, for what is not here, and for what is no beginning of an id', async () => {
    const upstream = await upstreamRepository();
    const commit = upstream.commit('a', '1');
    upstream.git('tag', '--annotate', '--message', 'm', 'v1');
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const tree = upstream.git('rev-parse', 'HEAD^{tree}');
    const repository = await heldFrom(upstream, [tag]);

    for (const text of [
      tag,
      tree,
      tree.slice(0, 12),
      '0'.repeat(12),
      '',
      commit.slice(0, 6),
      commit.slice(0, 12).toUpperCase(),
      'HEAD',
      `${commit} --all`,
      '-',
    ])
      expect([text, await repository.commitsNamed(text)]).toEqual([text, []]);
  });
});
