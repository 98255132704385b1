import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTar, type TarEntry } from '@granary/core/archive';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { heldCommit, heldFrom, nestedTrees } from './test/held-history.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { blobOf, commitOf, idOf, rawPack, treeOf } from './test/raw-pack.ts';
import { inPieces, type UpstreamRepository, upstreamRepository } from './test/upstream-repository.ts';

const ENOUGH = { maxBytes: 10_000_000 };
const LONG = `${'folder/'.repeat(40)}${'n'.repeat(120)}.txt`;
const TO_THE_END = 'x'.repeat(512);
const file = blobOf('text\n');
const fileId = idOf('blob', file.bytes);

/** Every attribute that changes what git gives out (gitattributes(5)), by name, by macro, and from folders below. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  '.gitattributes': [
    '[attr]hidden export-ignore text eol=crlf',
    '* text=auto eol=crlf ident export-subst filter=evil',
    '*.old crlf',
    '*.hidden hidden',
    'hidden-folder hidden',
    'hidden-folder/** export-ignore',
    'wide.txt text working-tree-encoding=UTF-16',
    'no-encoding.txt working-tree-encoding',
    '*.bin binary',
    '',
  ].join('\n'),
  'hidden-folder/.gitattributes': '* export-ignore\n',
  'below/.gitattributes': '[attr]binary export-ignore\n* binary export-ignore -text !export-ignore export-ignore\n',
};
const FILES: Readonly<Record<string, string>> = {
  ...ATTRIBUTES,
  ...{ 'below/a.bin': 'a\n', 'hidden-folder/a': 'a\n', 'a.hidden': 'a\n', 'lines.txt': 'one\ntwo\r\nthree\r', 'a.old': 'one\ntwo\n', 'wide.txt': 'w\n' },
  ...{ 'no-encoding.txt': 'n\n', 'version.txt': '$Format:%H %d$ $Id$ $Id: 1$\n', empty: '', block: TO_THE_END, 'ü/\u{1f4a1} b': 'u\n', [LONG]: 'l\n' },
};

/** A commit with all of that, a program, a link and a submodule. */
function commitAll(upstream: UpstreamRepository): string {
  const add = (mode: string, path: string, id: string): string => upstream.git('update-index', '--add', '--cacheinfo', mode, id, path);
  const written = (text: string): string => upstream.pipe(text, 'hash-object', '-w', '--stdin', '--no-filters');
  for (const [path, text] of Object.entries(FILES)) add('100644', path, written(text));
  add('100755', 'run.sh', written('#!/bin/sh\n'));
  add('120000', 'to-run', written('run.sh'));
  add('120000', 'to-far', written(LONG));
  add('160000', 'vendor/sub', '1'.repeat(written('').length));
  upstream.git('commit', '--quiet', '--message', 'm');
  return upstream.git('rev-parse', 'HEAD');
}

describe('the tar of a commit', () => {
  it.each(['sha1', 'sha256'] as const)('has names, modes and bytes as git has them, whatever attributes say, of a repository of %s', async (objectFormat) => {
    const upstream = await upstreamRepository(objectFormat);
    const commit = commitAll(upstream);
    const time = Number(upstream.git('show', '--no-patch', '--format=%ct'));
    const repository = await heldFrom(upstream, [commit], objectFormat);

    const { entries } = readTar(await repository.archive(commit, ENOUGH));

    const tree = await repository.tree(commit, { maxEntries: 1000 });
    const blobs = await repository.blobs(
      tree.map(({ objectId }) => objectId),
      { maxBytes: 1_000_000 },
    );
    const found = new Map(entries.map((entry) => [entry.path, entry]));
    expect([...found.values()].filter(({ type }) => type !== 'directory').map(({ path }) => path)).toEqual(
      tree.filter(({ type }) => type !== 'submodule').map(({ path }) => path),
    );
    expect(found.size).toBe(entries.length);
    for (const { path, type, isExecutable, objectId } of tree) {
      const entry = found.get(path);
      const bytes = Buffer.from(blobs.get(objectId) ?? []);
      if (type === 'file')
        expect([path, entry?.type, entry?.mode, sha256(entry?.content.read() ?? 'none')]).toEqual([path, type, isExecutable ? 0o755 : 0o644, sha256(bytes)]);
      else expect([path, entry?.type, entry?.target]).toEqual(type === 'link' ? [path, 'link', bytes.toString()] : [path, 'directory', undefined]);
    }
    expect(new Set(entries.map(originOf))).toEqual(new Set([`0 0 root root ${time} ${commit}`]));
  });

  it('is the same with other packs, of a tag, and on any machine', async () => {
    const { repository, commit, driver } = await heldCommit(
      [
        ['120000', 'link', fileId],
        ['100755', 'run', fileId],
        ['100664', 'write', fileId],
      ],
      [file],
    );

    const bytes = await repository.archive(commit, ENOUGH);

    expect(sha256(bytes)).toBe('aece3782830e17c812fbf56a14b8542e4e7f90a169011ad88b7a3360604fecc0');
    expect(bytes).toHaveLength(10_240);
    const text = Buffer.from(`object ${commit}\ntype commit\ntag v1\ntagger A <a@upstream.example> 1800000000 +0000\n\nm\n`);
    await repository.take(inPieces(rawPack([{ type: 'tag', bytes: text }])), [idOf('tag', text)], LIMITS);
    expect(await repository.archive(idOf('tag', text), ENOUGH)).toEqual(bytes);
    expect(await (await driver.open([], 'sha1')).archive(commit, ENOUGH)).toEqual(bytes);
  });

  it('has the time that its commit states, also where an index of commits has another', async () => {
    const tree = treeOf([['100644', 'a', fileId]]);
    const far = Buffer.from(
      Buffer.from(commitOf(idOf('tree', tree.bytes)).bytes)
        .toString()
        .replace(/1700000000/g, String(2 ** 35)),
    );
    const commit = idOf('commit', far);
    const driver = await openDriver();
    const repository = await driver.open();
    await repository.take(inPieces(rawPack([{ type: 'commit', bytes: far }, tree, file])), [commit], LIMITS);
    const before = await repository.archive(commit, ENOUGH);
    const [held = ''] = await readdir(join(driver.folder, 'held'));
    execFileSync('git', ['-C', join(driver.folder, 'held', held), 'commit-graph', 'write', '--stdin-commits'], {
      input: `${commit}\n`,
      stdio: ['pipe', 'ignore', 'ignore'],
    });

    const after = await repository.archive(commit, ENOUGH);

    expect(readTar(after).entries[0]?.header.pax).toContainEqual(['mtime', String(2 ** 35)]);
    expect(after).toEqual(before);
  });

  it('may be empty, and may hold what has no name in UTF-8', async () => {
    const empty = await heldCommit([], []);
    const upstream = await upstreamRepository();
    const id = upstream.pipe('text\n', 'hash-object', '-w', '--stdin');
    const tree = upstream.pipe(Buffer.concat([Buffer.from(`100644 blob ${id}\tcaf`), Buffer.from([0xe9, 0])]), 'mktree', '-z');
    const commit = upstream.git('commit-tree', '-m', 'm', tree);

    const tar = await (await heldFrom(upstream, [commit])).archive(commit, ENOUGH);

    expect(Buffer.from(tar).includes(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0]))).toBe(true);
    expect(readTar(await empty.repository.archive(empty.commit, ENOUGH)).entries).toEqual([]);
  });
});

function originOf({ header: { uid, gid, uname, gname, mtime, pax } }: TarEntry): string {
  return [uid, gid, uname, gname, mtime, pax.find(([key]) => key === 'comment')?.[1]].join(' ');
}

describe('a tar that is not made', () => {
  it('is one of a commit that is not here, of what is no commit, or of no object id', async () => {
    const { repository, commit } = await heldCommit([['100644', 'a', fileId]], [file]);

    await expect(repository.archive('1'.repeat(40), ENOUGH)).rejects.toMatchObject({ name: 'RepositoryError', code: 'incomplete' });
    for (const id of [fileId, idOf('tree', treeOf([['100644', 'a', fileId]]).bytes), 'HEAD', `${commit}^{tree}`, '--remote=x', '1'.repeat(64)])
      await expect(repository.archive(id, ENOUGH)).rejects.toMatchObject({ name: 'RepositoryError', code: 'malformed' });
  });

  it('is larger than is allowed: by its members, or by what stands around them', async () => {
    const large = { type: 'blob', bytes: new Uint8Array(1_000_000) } as const;
    const { repository, commit } = await heldCommit([['100644', 'a', idOf('blob', large.bytes)]], [large]);
    const { length } = await repository.archive(commit, ENOUGH);

    for (const maxBytes of [0, 1000, 1_000_000, length - 1])
      await expect(repository.archive(commit, { maxBytes })).rejects.toMatchObject({ name: 'RepositoryError', code: 'too-large' });
    expect(await repository.archive(commit, { maxBytes: length })).toHaveLength(length);
  });

  it.each([
    ['files', [file, ...nestedTrees(9, { mode: '100644', id: fileId })]],
    ['folders', [treeOf([]), ...nestedTrees(9, { mode: '40000', id: idOf('tree', new Uint8Array()) })]],
  ])('has millions of %s, of few objects: git does not come to hold them', async (_, objects) => {
    const { repository, commit } = await heldCommit([['40000', 'top', idOf('tree', objects.at(-1)?.bytes ?? new Uint8Array())]], objects);

    await expect(repository.archive(commit, ENOUGH)).rejects.toMatchObject({ name: 'RepositoryError', code: 'too-large' });
  });

  it('is being made when the driver is closed', async () => {
    const endless = nestedTrees(9, { mode: '100644', id: fileId });
    const { repository, commit, driver } = await heldCommit([['40000', 'top', idOf('tree', endless.at(-1)?.bytes ?? new Uint8Array())]], [file, ...endless]);

    const making = repository.archive(commit, { maxBytes: 1e12 });
    setTimeout(() => void driver.close(), 500);

    await expect(making).rejects.toMatchObject({ name: 'RepositoryError', code: 'unavailable' });
  });
});
