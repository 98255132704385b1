import { memoryStore, storeWithFault } from '@granary/contract/memory';
import { sha256 } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { footprint, scratchOf } from './test/footprint.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { blobOf, commitOf, idOf, type RawObject, rawPack, treeOf } from './test/raw-pack.ts';
import { inPieces, upstreamRepository } from './test/upstream-repository.ts';

describe('a pack that is taken', () => {
  it.each(['sha1', 'sha256'] as const)('lies in the store with its index, and its objects are here, of a repository of %s', async (objectFormat) => {
    const driver = await openDriver();
    const upstream = await upstreamRepository(objectFormat);
    const tip = upstream.commit('a', 'one\n');
    const pack = upstream.pack([tip]);
    const repository = await driver.open([], objectFormat);

    const taken = await repository.take(inPieces(pack), [tip], LIMITS);

    expect(taken).toMatchObject({ pack: sha256(pack), sizeBytes: pack.length, objects: 3, findings: [], findingsTotal: 0 });
    expect(await driver.blobs.read(taken.pack, 1_000_000)).toEqual(new Uint8Array(pack));
    expect(await driver.blobs.size(taken.index)).toBeGreaterThan(1000);
    expect(await repository.having([tip, '1'.repeat(tip.length)])).toEqual(new Set([tip]));
    expect(await scratchOf(driver)).toEqual([]);
  });

  it('is completed where it is thin, and stands alone in the store', async () => {
    const driver = await openDriver();
    const upstream = await upstreamRepository();
    const text = Array.from({ length: 2000 }, (_, n) => `line ${n}\n`).join('');
    const first = upstream.commit('a', text);
    const repository = await driver.open();
    const one = await repository.take(inPieces(upstream.pack([first])), [first], LIMITS);
    const second = upstream.commit('a', `${text}more\n`);
    const thin = upstream.pack([second], [first]);

    const two = await repository.take(inPieces(thin), [second], LIMITS);

    expect(two.sizeBytes).toBeGreaterThan(thin.length);
    const elsewhere = await openDriver({ blobs: driver.blobs });
    const again = await elsewhere.open([one, two]);
    expect(await again.having([first, second])).toEqual(new Set([first, second]));
  });

  it('may be empty, where all tips are held already', async () => {
    const driver = await openDriver();
    const upstream = await upstreamRepository();
    const tip = upstream.commit('a', 'one\n');
    const repository = await driver.open();
    await repository.take(inPieces(upstream.pack([tip])), [tip], LIMITS);

    const taken = await repository.take(inPieces(rawPack([])), [tip], LIMITS);

    expect(taken.objects).toBe(0);
    expect(await driver.blobs.size(taken.pack)).toBe(32);
    expect(await repository.having([tip])).toEqual(new Set([tip]));
  });

  it('may be taken twice, and by several at once', async () => {
    const driver = await openDriver();
    const upstream = await upstreamRepository();
    const tips = ['a', 'b', 'c'].map((name) => upstream.commit(name, name));
    const repository = await driver.open();

    const taken = await Promise.all([...tips, ...tips].map((tip) => repository.take(inPieces(upstream.pack([tip])), [tip], LIMITS)));

    expect(new Set(taken.map(({ pack }) => pack)).size).toBe(3);
    expect(await repository.having(tips)).toEqual(new Set(tips));
  });
});

/** A commit of one tree, which has these entries beside what they name. */
function history(entries: readonly (readonly [string, string, string])[], objects: readonly RawObject[], commit: Parameters<typeof commitOf>[1] = {}) {
  const tree = treeOf(entries);
  const tip = commitOf(idOf('tree', tree.bytes), commit);
  return { pack: rawPack([tip, tree, ...objects]), tip: idOf('commit', tip.bytes) };
}

const file = blobOf('text\n');
const fileId = idOf('blob', file.bytes);
const submodule = (text: string) => {
  const modules = blobOf(text);
  return history([['100644', '.gitmodules', idOf('blob', modules.bytes)]], [modules]);
};
const emptyTree = idOf('tree', new Uint8Array());

describe('what fsck says of old histories', () => {
  it.each([
    ['badTimezone', history([], [], { author: 'A <a@upstream.example> 1700000000 +051800' })],
    ['missingSpaceBeforeDate', history([], [], { author: 'A <a@upstream.example>1700000000 +0000' })],
    ['missingEmail', history([], [], { author: 'A 1700000000 +0000' })],
    ['badDateOverflow', history([], [], { author: 'A <a@upstream.example> 99999999999999999999 +0000' })],
    ['zeroPaddedDate', history([], [], { author: 'A <a@upstream.example> 01700000000 +0000' })],
    ['zeroPaddedFilemode', history([['040000', 'd', emptyTree]], [{ type: 'tree', bytes: new Uint8Array() }])],
    ['badFilemode', history([['100664', 'a', fileId]], [file])],
    ['nulInCommit', history([], [], { message: 'one\0two' })],
    ['gitmodulesParse', submodule('[submodule\n')],
    ['gitignoreSymlink', history([['120000', '.gitignore', fileId]], [file])],
  ])('is recorded: %s', async (messageId, { pack, tip }) => {
    const repository = await (await openDriver()).open();

    const taken = await repository.take(inPieces(pack), [tip], LIMITS);

    expect(taken.findingsTotal).toBeGreaterThan(0);
    expect(taken.findings.map((finding) => finding.messageId)).toContain(messageId);
    expect(await repository.having([tip])).toEqual(new Set([tip]));
  });

  it('is counted when there is more of it than is recorded', async () => {
    const repository = await (await openDriver()).open();
    const tree = treeOf([]);
    const commits = Array.from({ length: 150 }, (_, n) =>
      commitOf(idOf('tree', tree.bytes), { author: 'A <a@upstream.example> 1 +051800', message: String(n) }),
    );

    const taken = await repository.take(inPieces(rawPack([tree, ...commits])), [], LIMITS);

    expect(taken.findings).toHaveLength(100);
    expect(taken.findingsTotal).toBe(150);
  });
});

describe('what would attack a client', () => {
  it.each([
    ['hasDotgit', history([['100644', '.git', fileId]], [file])],
    ['hasDotgit', history([['40000', 'GIT~1', emptyTree]], [{ type: 'tree', bytes: new Uint8Array() }])],
    ['hasDotgit', history([['100644', '.g\u200cit', fileId]], [file])],
    ['hasDotdot', history([['40000', '..', emptyTree]], [{ type: 'tree', bytes: new Uint8Array() }])],
    ['hasDot', history([['40000', '.', emptyTree]], [{ type: 'tree', bytes: new Uint8Array() }])],
    ['fullPathname', history([['100644', 'a/b', fileId]], [file])],
    ['badTree', history([['100644', '', fileId]], [file])],
    [
      'duplicateEntries',
      history(
        [
          ['100644', 'a', fileId],
          ['120000', 'a', fileId],
        ],
        [file],
      ),
    ],
    [
      'treeNotSorted',
      history(
        [
          ['100644', 'b', fileId],
          ['100644', 'a', fileId],
        ],
        [file],
      ),
    ],
    ['gitmodulesUrl', submodule('[submodule "m"]\n\tpath = m\n\turl = -u./payload\n')],
    ['gitmodulesName', submodule('[submodule "../../x"]\n\tpath = m\n\turl = https://upstream.example/m\n')],
    ['gitmodulesPath', submodule('[submodule "m"]\n\tpath = -p\n\turl = https://upstream.example/m\n')],
    ['gitmodulesUpdate', submodule('[submodule "m"]\n\tpath = m\n\turl = https://upstream.example/m\n\tupdate = !touch payload\n')],
    ['gitmodulesSymlink', history([['120000', '.gitmodules', fileId]], [file])],
    ['gitmodulesBlob', history([['40000', '.gitmodules', emptyTree]], [{ type: 'tree', bytes: new Uint8Array() }])],
    ['gitattributesLineLength', history([['100644', '.gitattributes', idOf('blob', Buffer.from('a'.repeat(4096)))]], [blobOf('a'.repeat(4096))])],
    ['nulInHeader', rawTip(Buffer.from(`tree ${emptyTree}\nauthor A\0 <a@upstream.example> 1 +0000\ncommitter A <a@upstream.example> 1 +0000\n\nm\n`))],
    ['unterminatedHeader', rawTip(Buffer.from(`tree ${emptyTree}\nauthor A <a@upstream.example> 1 +0000`))],
    ['missingAuthor', rawTip(Buffer.from(`tree ${emptyTree}\n\nm\n`))],
  ])('is refused: %s', async (messageId, { pack, tip }) => {
    const driver = await openDriver();
    const repository = await driver.open();
    const before = await footprint(driver);

    const taking = repository.take(inPieces(pack), [tip], LIMITS);

    await expect(taking).rejects.toMatchObject({ name: 'RepositoryError', code: 'fsck', message: expect.stringContaining(`: ${messageId}: `) });
    expect(await footprint(driver)).toEqual(before);
    expect(await repository.having([tip])).toEqual(new Set());
    expect(await driver.blobs.size(sha256(pack))).toBeUndefined();
  });
});

function rawTip(bytes: Uint8Array): { readonly pack: Uint8Array; readonly tip: string } {
  return {
    pack: rawPack([
      { type: 'commit', bytes },
      { type: 'tree', bytes: new Uint8Array() },
    ]),
    tip: idOf('commit', bytes),
  };
}

describe('what is not all there', () => {
  const tree = treeOf([['100644', 'a', fileId]]);
  const tip = commitOf(idOf('tree', tree.bytes));
  const tipId = idOf('commit', tip.bytes);
  const child = commitOf(idOf('tree', tree.bytes), { parent: 'e'.repeat(40) });
  const mistyped = commitOf(fileId);

  it.each([
    ['a file', rawPack([tip, tree]), [tipId], 'incomplete'],
    ['a tree', rawPack([tip, file]), [tipId], 'incomplete'],
    ['a parent', rawPack([child, tree, file]), [idOf('commit', child.bytes)], 'incomplete'],
    ['a tip', rawPack([tip, tree, file]), [tipId, 'e'.repeat(40)], 'incomplete'],
    ['the base of a delta', rawPack([{ type: 'delta', base: 'e'.repeat(40), bytes: Buffer.from([1, 1, 1, 65]) }]), [], 'incomplete'],
    ['a tree, where a file stands in its place', rawPack([mistyped, file]), [], 'malformed'],
    ['its end', rawPack([tip, tree, file]).subarray(0, -25), [tipId], 'malformed'],
    ['all of it', new Uint8Array(), [], 'malformed'],
    ['a pack', Buffer.from('ERR not today\n'), [], 'malformed'],
    ['a true checksum', Buffer.concat([rawPack([tip, tree, file]).subarray(0, -1), Buffer.from([0])]), [tipId], 'malformed'],
    ['as many objects as it states', rawPack([tip, tree, file], 4), [tipId], 'malformed'],
  ])('is refused: it lacks %s', async (_, pack, tips, code) => {
    const driver = await openDriver();
    const repository = await driver.open();
    const before = await footprint(driver);

    await expect(repository.take(inPieces(pack), tips, LIMITS)).rejects.toMatchObject({ name: 'RepositoryError', code });

    expect(await footprint(driver)).toEqual(before);
    expect(await driver.blobs.size(sha256(pack))).toBeUndefined();
  });
});

describe('a source that ends otherwise', () => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield rawPack([file], 1_000_000).subarray(0, -20);
    for (;;) yield new Uint8Array(65_536);
  };
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield rawPack([file], 2).subarray(0, -20);
    await new Promise(() => undefined);
  };
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield rawPack([file], 2).subarray(0, -20);
    throw new Error('connection reset');
  };

  it('is refused, and leaves nothing', async () => {
    const driver = await openDriver();
    const repository = await driver.open();
    const before = await footprint(driver);
    const large = Buffer.alloc(300_000, 'ab');
    const noise = rawPack([{ type: 'blob', bytes: Buffer.concat(Array.from({ length: 4000 }, (_, n) => Buffer.from(sha256(String(n)), 'hex'))) }]);

    await expect(repository.take(endless(), [], { ...LIMITS, maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: expect.stringMatching('too-large|malformed'),
    });
    await expect(repository.take(inPieces(noise), [], { ...LIMITS, maxBytes: 100_000 })).rejects.toMatchObject({ code: 'too-large' });
    await expect(repository.take(inPieces(noise), [], { ...LIMITS, maxBytes: noise.length - 1 })).rejects.toMatchObject({ code: 'too-large' });
    await expect(repository.take(silent(), [], { ...LIMITS, timeoutMs: 1000 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(repository.take(silent(), [], { ...LIMITS, signal: AbortSignal.timeout(500) })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(repository.take(broken(), [], LIMITS)).rejects.toThrow('connection reset');
    await expect(repository.take(inPieces(large), ['not an id'], LIMITS)).rejects.toMatchObject({ code: 'malformed' });

    expect(await footprint(driver)).toEqual(before);
    expect(await repository.take(inPieces(noise), [], { ...LIMITS, maxBytes: noise.length })).toMatchObject({ objects: 1 });
  });

  it('may not make a thin pack larger than is allowed by what it refers to', async () => {
    const repository = await (await openDriver()).open();
    const base = { type: 'blob', bytes: Buffer.concat(Array.from({ length: 4000 }, (_, n) => Buffer.from(sha256(String(n)), 'hex'))) } as const;
    await repository.take(inPieces(rawPack([base])), [], LIMITS);
    // Gives the first byte of the base: 2 bytes of lengths, and a copy.
    const lengths = Buffer.from([0x80 | (base.bytes.length & 0x7f), 0x80 | ((base.bytes.length >> 7) & 0x7f), base.bytes.length >> 14, 1]);
    const thin = rawPack([{ type: 'delta', base: idOf('blob', base.bytes), bytes: Buffer.concat([lengths, Buffer.from([0x90, 1])]) }]);

    await expect(repository.take(inPieces(thin), [], { ...LIMITS, maxBytes: 20_000 })).rejects.toMatchObject({ code: 'too-large' });
    expect(await repository.take(inPieces(thin), [], LIMITS)).toMatchObject({ objects: 2 });
  });
});

describe('a store that fails', () => {
  it.each([
    [1, 'lost'],
    [1, 'kept'],
    [2, 'lost'],
    [2, 'kept'],
  ] as const)('at write %i (%s) leaves the folder as it was, and the next run goes through', async (step, effect) => {
    const kept = memoryStore();
    const driver = await openDriver({ blobs: storeWithFault(kept, { step, effect }).store.blobs });
    const upstream = await upstreamRepository();
    const tip = upstream.commit('a', 'one\n');
    const repository = await driver.open();
    const before = await footprint(driver);

    await expect(repository.take(inPieces(upstream.pack([tip])), [tip], LIMITS)).rejects.toMatchObject({ name: 'StoreError', code: 'unreachable' });

    expect(await footprint(driver)).toEqual(before);
    const taken = await repository.take(inPieces(upstream.pack([tip])), [tip], LIMITS);
    expect(await kept.blobs.size(taken.pack)).toBe(taken.sizeBytes);
    expect(await kept.blobs.size(taken.index)).toBeDefined();
  });
});
