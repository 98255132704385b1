import { describe, expect, it } from 'vitest';
import { footprint } from './test/footprint.ts';
import { LIMITS, openDriver } from './test/open-driver.ts';
import { blobOf, commitOf, copyingDelta, idOf, type RawObject, rawPack, treeOf } from './test/raw-pack.ts';
import { inPieces } from './test/upstream-repository.ts';

const MIB = 1024 * 1024;
const LITTLE_MEMORY = { maxMemoryBytes: 192 * MIB };

/** A base, and a delta that copies its 15 MiB `times` over. */
function growing(times: number, type: 'blob' | 'tree' = 'blob'): readonly RawObject[] {
  const base = { type, bytes: new Uint8Array(15 * MIB) } as const;
  return [base, { type: 'delta', base: idOf(type, base.bytes), bytes: copyingDelta(base.bytes.length, base.bytes.length, times) }];
}

describe('a small pack that becomes large', () => {
  it('is streamed where it is one large file: memory does not grow with it', async () => {
    const driver = await openDriver(LITTLE_MEMORY);
    const repository = await driver.open();
    const bytes = new Uint8Array(300 * MIB);
    const pack = rawPack([{ type: 'blob', bytes }]);

    const taken = await repository.take(inPieces(pack), [], LIMITS);

    expect(pack.length).toBeLessThan(2 * MIB);
    expect(taken).toMatchObject({ sizeBytes: pack.length, objects: 1 });
  });

  it.each([
    ['a tree that no memory holds', rawPack([{ type: 'tree', bytes: new Uint8Array(400 * MIB) }]), 'too-large'],
    ['a delta that copies without end', rawPack(growing(60)), 'too-large'],
    ['as many objects as a header can state', rawPack([blobOf('a')], 0xffff_ffff), 'malformed'],
    ['more objects than memory can count', rawPack([blobOf('a')], 100_000_000), 'too-large'],
  ])('is refused, and leaves nothing: %s', async (_, pack, code) => {
    const driver = await openDriver(LITTLE_MEMORY);
    const repository = await driver.open();
    const before = await footprint(driver);

    await expect(repository.take(inPieces(pack), [], LIMITS)).rejects.toMatchObject({ name: 'RepositoryError', code });

    expect(pack.length).toBeLessThan(2 * MIB);
    expect(await footprint(driver)).toEqual(before);
  });

  it('costs no more time than is given', async () => {
    const driver = await openDriver();
    const repository = await driver.open();
    const [base, ...deltas] = growing(10);
    const many = Array.from({ length: 200 }, (_, n) => ({ ...deltas[0], n })) as unknown as RawObject[];
    const pack = rawPack([...(base === undefined ? [] : [base]), ...many]);
    const started = Date.now();

    await expect(repository.take(inPieces(pack), [], { ...LIMITS, timeoutMs: 3000 })).rejects.toMatchObject({ code: 'timeout' });

    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('harms its own answers alone where git itself works without end: folders in folders', async () => {
    const driver = await openDriver({ serveTimeoutMs: 10_000 });
    const trees: RawObject[] = [];
    let tree = treeOf([]);
    for (let depth = 0; depth < 20_000; depth += 1) {
      trees.push(tree);
      tree = treeOf([['40000', 'd', idOf('tree', tree.bytes)]]);
    }
    const tip = commitOf(idOf('tree', tree.bytes));
    const tipId = idOf('commit', tip.bytes);
    const repository = await driver.open();
    await repository.take(inPieces(rawPack([...trees, tree, tip])), [tipId], LIMITS);

    const ask = async (): Promise<number> => {
      const shown = { refs: new Map([['refs/heads/main', tipId]]) };
      const wants = `0011command=fetch0001000fno-progress0032want ${tipId}\n0009done\n0000`;
      const answer = await repository.uploadPack(shown, { operation: 'upload-pack', protocol: 'version=2', body: inPieces(Buffer.from(wants)) });
      let bytes = 0;
      for await (const chunk of answer) bytes += chunk.length;
      return bytes;
    };
    await ask().catch((error: unknown) => expect(error).toMatchObject({ name: 'RepositoryError' }));

    expect(await repository.having([tipId])).toEqual(new Set([tipId]));
    expect(await repository.history([tipId], 10)).toEqual([tipId]);
  });
});
