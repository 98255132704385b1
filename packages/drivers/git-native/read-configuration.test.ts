import { describe, expect, it } from 'vitest';
import { heldFrom } from './test/held-history.ts';
import { upstreamRepository } from './test/upstream-repository.ts';

const LIMITS = { maxBytes: 10_000, maxEntries: 10 };

async function read(text: string, limits = LIMITS) {
  const upstream = await upstreamRepository();
  const id = upstream.pipe(text, 'hash-object', '-w', '--stdin');
  return await (await heldFrom(upstream, [id])).configuration(id, limits);
}

describe('a file in the format of git’s configuration', () => {
  it('says what it says to git, and includes nothing', async () => {
    const text = `[submodule "a.b \\"c\\""] ; who
\tpath = libs/ä  # where
  URL = "../with # and\\n a line feed"
\tshallow
[include]\n\tpath = /etc/passwd\n[includeIf "gitdir:/"]\n\tpath = x
`;

    expect(await read(text)).toEqual([
      { key: 'submodule.a.b "c".path', value: 'libs/ä' },
      { key: 'submodule.a.b "c".url', value: '../with # and\n a line feed' },
      { key: 'submodule.a.b "c".shallow', value: '' },
      { key: 'include.path', value: '/etc/passwd' },
      { key: 'includeif.gitdir:/.path', value: 'x' },
    ]);
    expect(await read('')).toEqual([]);
  });

  it.each([
    ['an open bracket', '[submodule "x\n'],
    ['a NUL', '[a]\nb = "x\0y\n'],
    ['bytes of something else', '\u0000\u0001\u0002'],
  ])('is refused where it is none: %s', async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
  });

  it('is refused where it is too large, has too many lines, or is no blob', async () => {
    const lines = (count: number) => `[a]\n${'b = 1\n'.repeat(count)}`;

    await expect(read(lines(11))).rejects.toMatchObject({ code: 'too-large' });
    expect(await read(lines(10))).toHaveLength(10);
    await expect(read(' '.repeat(10_001))).rejects.toMatchObject({ code: 'too-large' });
    const upstream = await upstreamRepository();
    const commit = upstream.commit('a', 'x');
    const repository = await heldFrom(upstream, [commit]);
    for (const id of [commit, '1'.repeat(40), 'HEAD']) await expect(repository.configuration(id, LIMITS)).rejects.toMatchObject({ code: 'malformed' });
  });
});
