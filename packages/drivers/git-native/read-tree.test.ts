import { describe, expect, it } from 'vitest';
import { heldCommit, heldFrom, nestedTrees } from './test/held-history.ts';
import { blobOf, idOf, treeOf } from './test/raw-pack.ts';
import { upstreamRepository } from './test/upstream-repository.ts';

const file = blobOf('text\n');
const fileId = idOf('blob', file.bytes);
const emptyTree = { type: 'tree', bytes: new Uint8Array() } as const;

describe('the tree of a commit', () => {
  it.each(['sha1', 'sha256'] as const)('has its files, links and submodules, of a repository of %s', async (objectFormat) => {
    const upstream = await upstreamRepository(objectFormat);
    const submodule = upstream.commit('a b/c.txt', 'one\n');
    const add = (mode: string, path: string, text: string) => {
      const id = mode === '160000' ? submodule : upstream.pipe(text, 'hash-object', '-w', '--stdin');
      upstream.git('update-index', '--add', '--cacheinfo', mode, id, path);
      return id;
    };
    const ids = {
      run: add('100755', 'run', '#!/bin/sh\n'),
      link: add('120000', 'link', 'run'),
      strange: add('100644', 'ü/\u{1f4a1}\nsecond line\t"', 'x'),
      mark: add('100644', '\ufeffmark', ''),
    };
    add('160000', 'vendor/sub', '');
    upstream.git('commit', '--quiet', '--message', 'm');
    upstream.git('tag', '--annotate', '--message', 'm', 'v1');
    const commit = upstream.git('rev-parse', 'HEAD');
    const tag = upstream.git('rev-parse', 'refs/tags/v1');
    const repository = await heldFrom(upstream, [commit, tag], objectFormat);

    const tree = await repository.tree(commit, { maxEntries: 6 });

    const plain = { type: 'file', isExecutable: false } as const;
    expect(tree).toEqual([
      { ...plain, path: 'a b/c.txt', objectId: upstream.git('rev-parse', 'HEAD:a b/c.txt'), sizeBytes: 4 },
      { path: 'link', type: 'link', isExecutable: false, objectId: ids.link, sizeBytes: 3 },
      { path: 'run', type: 'file', isExecutable: true, objectId: ids.run, sizeBytes: 10 },
      { path: 'vendor/sub', type: 'submodule', isExecutable: false, objectId: submodule, sizeBytes: 0 },
      { ...plain, path: 'ü/\u{1f4a1}\nsecond line\t"', objectId: ids.strange, sizeBytes: 1 },
      { ...plain, path: '\ufeffmark', objectId: ids.mark, sizeBytes: 0 },
    ]);
    expect(await repository.tree(tag, { maxEntries: 6 })).toEqual(tree);
    await expect(repository.tree(commit, { maxEntries: 5 })).rejects.toMatchObject({ name: 'RepositoryError', code: 'too-large' });
  });

  it('may be empty, and old modes are what they mean', async () => {
    const empty = await heldCommit([], []);
    const old = await heldCommit(
      [
        ['100664', 'a', fileId],
        ['100775', 'b', fileId],
      ],
      [file],
    );

    expect(await empty.repository.tree(empty.commit, { maxEntries: 0 })).toEqual([]);
    expect((await old.repository.tree(old.commit, { maxEntries: 2 })).map(({ isExecutable }) => isExecutable)).toEqual([false, true]);
  });

  it('lacks what has no name in UTF-8, and keeps the rest', async () => {
    const upstream = await upstreamRepository();
    const id = upstream.pipe('text\n', 'hash-object', '-w', '--stdin');
    const entries = [Buffer.from('a'), Buffer.from([0x63, 0xe9]), Buffer.from('z')].flatMap((name) => [
      Buffer.from(`100644 blob ${id}\t`),
      name,
      Buffer.alloc(1),
    ]);
    const tree = upstream.pipe(Buffer.concat(entries), 'mktree', '-z');
    const commit = upstream.git('commit-tree', '-m', 'm', tree);
    const repository = await heldFrom(upstream, [commit]);

    expect((await repository.tree(commit, { maxEntries: 3 })).map(({ path }) => path)).toEqual(['a', 'z']);
    await expect(repository.tree(commit, { maxEntries: 2 })).rejects.toMatchObject({ code: 'too-large' });
  });
});

describe('a tree that is not read', () => {
  it('is one of a commit that is not here, of what is no commit, or of no object id', async () => {
    const { repository, commit } = await heldCommit([['100644', 'a', fileId]], [file]);

    await expect(repository.tree('1'.repeat(40), { maxEntries: 1 })).rejects.toMatchObject({ name: 'RepositoryError', code: 'incomplete' });
    for (const id of [fileId, idOf('tree', treeOf([['100644', 'a', fileId]]).bytes), 'HEAD', `${commit}^{tree}`, '--all', '1'.repeat(64)])
      await expect(repository.tree(id, { maxEntries: 1 })).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
  });

  it.each([
    ['files', 'entries', [file, ...nestedTrees(9, { mode: '100644', id: fileId })]],
    ['folders without a file', 'entries', [emptyTree, ...nestedTrees(9, { mode: '40000', id: idOf('tree', emptyTree.bytes) })]],
    ['bytes of paths', 'bytes of paths', [file, ...nestedTrees(3, { mode: '100644', id: fileId }, 'n'.repeat(1000))]],
  ])('has more %s than is allowed, of few objects', async (_, more, objects) => {
    const top = objects.at(-1);
    const { repository, commit } = await heldCommit([['40000', 'top', idOf('tree', top?.bytes ?? new Uint8Array())]], objects);

    await expect(repository.tree(commit, { maxEntries: 1200 })).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining(more) });
  });

  it('has a path that no disk could hold', async () => {
    const folders = Array.from({ length: 20 }).reduce<readonly ReturnType<typeof treeOf>[]>(
      (trees) => [...trees, treeOf([['40000', 'n'.repeat(250), idOf('tree', trees.at(-1)?.bytes ?? new Uint8Array())]])],
      [treeOf([['100644', 'a', fileId]])],
    );
    const { repository, commit } = await heldCommit([['40000', 'top', idOf('tree', folders.at(-1)?.bytes ?? new Uint8Array())]], [file, ...folders]);

    await expect(repository.tree(commit, { maxEntries: 100 })).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining('4096 bytes') });
  });

  it('is still being read when the driver is closed', async () => {
    const endless = nestedTrees(9, { mode: '100644', id: fileId });
    const { repository, commit, driver } = await heldCommit([['40000', 'top', idOf('tree', endless.at(-1)?.bytes ?? new Uint8Array())]], [file, ...endless]);

    const reading = repository.tree(commit, { maxEntries: 1e9 });
    setTimeout(() => void driver.close(), 500);

    await expect(reading).rejects.toMatchObject({ name: 'RepositoryError', code: 'unavailable' });
  });
});
