import { describe, expect, it } from 'vitest';
import { heldFrom } from './test/held-history.ts';
import { openDriver } from './test/open-driver.ts';
import { upstreamRepository } from './test/upstream-repository.ts';

describe('what stands at a path', () => {
  it.each(['sha1', 'sha256'] as const)(
    'is found in thousands of commits at once, in the order of the questions, of a repository of %s',
    async (objectFormat) => {
      const upstream = await upstreamRepository(objectFormat);
      const first = upstream.commit('src/a', 'one\n');
      upstream.commit('ü\nline\nline', 'two\n');
      upstream.git('update-index', '--add', '--cacheinfo', '160000', first, 'sub');
      upstream.git('tag', '--annotate', '--message', 'm', 'v1');
      const second = upstream.commit('x:y missing', 'three\n');
      const tag = upstream.git('rev-parse', 'refs/tags/v1');
      const at = (path: string): string => upstream.git('rev-parse', `HEAD:${path}`);
      const repository = await heldFrom(upstream, [second, tag], objectFormat);
      const cases = [
        { commit: second, path: '', expected: at('') },
        { commit: second, path: 'src', expected: at('src') },
        { commit: second, path: 'src/a', expected: at('src/a') },
        { commit: tag, path: 'src/a', expected: at('src/a') },
        { commit: second, path: 'ü\nline\nline', expected: at('ü\nline\nline') },
        { commit: first, path: 'ü\nline\nline', expected: undefined },
        { commit: second, path: 'x:y missing', expected: at('x:y missing') },
        { commit: first, path: 'x:y missing', expected: undefined },
        { commit: second, path: `a\n${first}\n\n`, expected: undefined },
        { commit: second, path: 'src/a/b', expected: undefined },
        { commit: at('src/a'), path: 'a', expected: undefined },
        { commit: '1'.repeat(first.length), path: 'src/a', expected: undefined },
        ...['./src/a', '../src/a', '/src/a', 'src/a/', 'src//a', 'src/./a', 'src/a\0', '\ud800', 'n'.repeat(4097)].map((path) => ({
          ...{ commit: second, path, expected: undefined },
        })),
      ];
      const many = Array.from({ length: 150 }, () => cases).flat();
      const other = Array.from({ length: 3000 }, (_, n) => ({ commit: first, path: `src/${n}`, expected: undefined }));
      const questions = [...many, ...other, ...cases];

      expect(await repository.objectsAt(questions)).toEqual(questions.map(({ expected }) => expected));
      expect(await repository.objectsAt([])).toEqual([]);
    },
  );

  it('is not told of a submodule, whose commit is elsewhere', async () => {
    const upstream = await upstreamRepository();
    upstream.git('update-index', '--add', '--cacheinfo', '160000', '1'.repeat(40), 'sub');
    upstream.git('commit', '--quiet', '--message', 'm');
    const commit = upstream.git('rev-parse', 'HEAD');
    const repository = await heldFrom(upstream, [commit]);

    expect(await repository.objectsAt([{ commit, path: 'sub' }])).toEqual([undefined]);
  });

  it('is not looked up by what is no object id, or after the driver is closed', async () => {
    const driver = await openDriver();
    const repository = await driver.open();

    for (const commit of ['HEAD', '', `${'1'.repeat(40)}\0HEAD`, '1'.repeat(64)])
      await expect(repository.objectsAt([{ commit, path: 'a' }])).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
    await driver.close();
    await expect(repository.objectsAt([{ commit: '1'.repeat(40), path: 'a' }])).rejects.toMatchObject({ code: 'unavailable' });
  });
});
