import { encodeEntry, type Fact, sha256, toInstant, toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { memoryCatalog, memoryStore } from '../memory/index.ts';
import { heldPacks } from './index.ts';
import { heldLargeFile, heldLargeFiles, largeFileName, largeFilePurl } from './large-files.ts';
import { encodeOutside, NOTHING_OUTSIDE, type Outside, readOutside } from './outside.ts';

const LAMP = toPurl('pkg:git/forge.example/owner/lamp');
const OUTSIDE: Outside = {
  submodules: [{ path: 'libs/bulb', repository: toPurl('pkg:git/forge.example/owner/bulb') }],
  notCovered: [
    { path: 'libs/x', why: 'address', url: 'ext::sh -c x' },
    { path: '.gitmodules', why: 'unreadable' },
  ],
  largeFiles: [{ oid: sha256('large'), sizeBytes: 5 }],
};

describe('what lies outside a repository', () => {
  it('is read as it was written, and the same is the same blob', async () => {
    const { blobs } = memoryStore();
    const put = async (outside: Outside) => (await blobs.put(encodeOutside(outside), { maxBytes: 10_000 })).sha256;

    expect(await readOutside(blobs, await put(OUTSIDE))).toEqual(OUTSIDE);
    expect(await readOutside(blobs, await put(NOTHING_OUTSIDE))).toEqual(NOTHING_OUTSIDE);
    expect(encodeOutside({ ...OUTSIDE })).toEqual(encodeOutside(OUTSIDE));
  });

  it('is not read from what is something else, or not there', async () => {
    const { blobs } = memoryStore();
    const other = await blobs.put(Buffer.from('{"granary":1,"type":"git-refs"}'), { maxBytes: 1000 });

    await expect(readOutside(blobs, other.sha256)).rejects.toMatchObject({ name: 'ZodError' });
    await expect(readOutside(blobs, sha256('lost'))).rejects.toMatchObject({ name: 'StoreError', code: 'unreachable' });
  });
});

it('large files are files of their repository, and no packs', () => {
  const catalog = memoryCatalog();
  const [large, pack] = [sha256('large'), sha256('pack')];
  const record = (subject: string, body: Fact['body']) => {
    const bytes = encodeEntry({ kind: 'stored', subject, inputs: [subject], body }, 'author', toInstant(0));
    catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes }]);
  };
  record(largeFilePurl(LAMP, large), { sha256: large, sizeBytes: 5, path: largeFileName(large), evidence: [] });
  record(`${LAMP}?file_name=pack-${pack}.pack`, { sha256: pack, sizeBytes: 7, path: 'x', companions: { idx: sha256('index') }, evidence: [] });

  expect(largeFilePurl(LAMP, large)).toBe(`${LAMP}?file_name=lfs-${large}`);
  expect(heldLargeFiles(catalog, LAMP)).toEqual(new Map([[large, 5]]));
  expect(heldLargeFile(catalog, LAMP, large)).toEqual({ oid: large, sizeBytes: 5 });
  expect(heldLargeFile(catalog, LAMP, large, { size: 0 })).toBeUndefined();
  expect(heldLargeFile(catalog, LAMP, pack)).toBeUndefined();
  expect(heldPacks(catalog, LAMP)).toEqual([{ pack, index: sha256('index') }]);
});
