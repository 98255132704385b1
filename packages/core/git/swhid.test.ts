import { describe, expect, it } from 'vitest';
import { contentSwhid, objectSwhid, parseObjectId, parseSwhid, readLsRefs, type SwhidObject, snapshotBranches, snapshotSwhid } from './index.ts';
import { gitFolder, inPieces, packets } from './test/index.ts';

// What `swh.model` 8.4.1, of Software Heritage, computed for this repository; the ids of objects are git's own.
const SCRIPT = `git init -q -b main r && cd r && mkdir sub && printf 'hello\\n' > sub/a.txt && printf '#!/bin/sh\\n' > run && chmod 755 run
ln -s sub/a.txt link && git add . && git commit -q -m first && git tag -a v1 -m 'version 1' && git tag light
git branch feature/ü && git update-ref refs/tags/tree HEAD^{tree} && git update-ref refs/tags/blob HEAD:run`;
const DIRECTORY = 'swh:1:dir:60008ecca1b7bda26a85b24e3d6d1990a8bd5bea';
const REVISION = '5f781ea93e7503a985745edb844ec844d693a12c';
const SNAPSHOT = 'swh:1:snp:279f7cb00f53cceaf0695ab07c2db9de850f6591';
const WITHOUT_HEAD = 'swh:1:snp:69bc99cfcf7dfef2beb6359141c701709f498852';
const EMPTY = 'swh:1:snp:1a8893e6a86f444e8be8e7bda6cb34fb1735a00e';
const UNBORN = 'swh:1:snp:ef888ccd834f9ede99903dde1470c8134db0c0dd';

const KINDS: Readonly<Record<string, Exclude<SwhidObject, 'snapshot'>>> = { blob: 'content', tree: 'directory', commit: 'revision', tag: 'release' };

function listed(): { readonly lines: readonly string[]; readonly tree: string } {
  using folder = gitFolder(SCRIPT);
  const lines = folder.sh("git -C r for-each-ref --format='%(objectname) %(refname) %(objecttype)'").toString().trim().split('\n');
  return { lines, tree: folder.sh('git -C r rev-parse HEAD^{tree}').toString().trim() };
}

describe('a SWHID', () => {
  it('of a snapshot is that of Software Heritage, of every type of branch', async () => {
    const { lines, tree } = listed();
    const types = new Map(lines.map((line) => [line.split(' ')[0] ?? '', KINDS[line.split(' ')[2] ?? ''] ?? 'content']));
    const stream = packets(`${REVISION} HEAD symref-target:refs/heads/main`, ...lines, '|flush');
    const state = await readLsRefs(inPieces(stream), { objectFormat: 'sha1' });

    const branches = snapshotBranches(state, (id) => types.get(id) ?? 'content');

    expect(snapshotSwhid(branches)).toBe(SNAPSHOT);
    expect(snapshotSwhid(snapshotBranches({ refs: state.refs, peeled: state.peeled }, (id) => types.get(id) ?? 'content'))).toBe(WITHOUT_HEAD);
    expect(objectSwhid('directory', parseObjectId(tree, 'sha1') ?? never())).toBe(DIRECTORY);
  });

  it('of a repository without commits has a branch that dangles, or none', () => {
    const nothing = { refs: new Map(), peeled: new Map() };

    expect(snapshotSwhid(snapshotBranches({ ...nothing, head: 'refs/heads/trunk' }, never))).toBe(UNBORN);
    expect(snapshotSwhid(snapshotBranches(nothing, never))).toBe(EMPTY);
  });

  it('of bytes is the id that git hash-object gives them', () => {
    expect(contentSwhid(Buffer.from('hello\n'))).toBe('swh:1:cnt:ce013625030ba8dba906f756967f9e9ca394464a');
    expect(contentSwhid(new Uint8Array())).toBe('swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
  });

  it('is not made of ids of another hash', () => {
    const id = parseObjectId('a'.repeat(64), 'sha256') ?? never();

    expect(objectSwhid('revision', id)).toBeUndefined();
    expect(() => snapshotSwhid(new Map([['refs/heads/a', { type: 'revision', objectId: id }]]))).toThrow(RangeError);
  });

  it('is read in its one form', () => {
    expect(parseSwhid(SNAPSHOT)).toBe(SNAPSHOT);
    expect([`${SNAPSHOT};origin=x`, SNAPSHOT.toUpperCase(), SNAPSHOT.replace('snp', 'ori'), SNAPSHOT.slice(0, -1), `${SNAPSHOT}\n`].map(parseSwhid)).toEqual(
      Array.from({ length: 5 }),
    );
  });
});

function never(): never {
  throw new Error('the test is wrong');
}
