import { decodeSnapshot, encodeDelta, encodeSnapshot, type ObjectId, parseObjectId, type RefState } from '@granary/core/git';
import { encodeEntry, type Fact, formatPurl, type Sha256, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { memoryCatalog, memoryStore } from '../memory/index.ts';
import { documentOf, heldPacks, type KnownRefs, readKnownRefs, readRefState } from './ref-states.ts';

const LAMP = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'lamp' });
const ORIGIN = 'ledger.example';
const id = (number: number): ObjectId => {
  const parsed = parseObjectId((number + 1).toString(16).padStart(40, '0'), 'sha1');
  if (parsed === undefined) throw new Error('the test is wrong');
  return parsed;
};
/** Forty branches that stay, and one that moves. */
const stateAt = (number: number): RefState => ({
  objectFormat: 'sha1',
  refs: new Map([...Array.from({ length: 40 }, (_, at) => [`refs/heads/b${at}`, id(at)] as const), ['refs/heads/main', id(1000 + number)]]),
  peeled: new Map(),
  head: 'refs/heads/main',
});

describe('the refs that were seen last', () => {
  it('are read through deltas, of which at most 31 lie between two whole ones', async () => {
    const site = openSite();

    for (let look = 0; look < 70; look += 1) await site.see(stateAt(look));

    expect(site.types().join('')).toBe(['w', 'd'.repeat(31), 'w', 'd'.repeat(31), 'w', 'd'.repeat(5)].join(''));
    expect((await site.known())?.state).toEqual(stateAt(69));
    expect((await readRefState(site.blobs, site.digests[40] ?? sha256(''))).state).toEqual(stateAt(40));
  });

  it('are a whole document where a delta would save little', async () => {
    const site = openSite();
    await site.see(stateAt(0));

    await site.see({ ...stateAt(1), refs: new Map([['refs/heads/other', id(5)]]), head: 'refs/heads/other' });

    expect(site.types()).toEqual(['w', 'w']);
    expect((await site.known())?.documents).toBe(1);
  });

  it('are none where nobody looked', async () => {
    expect(await openSite().known()).toBeUndefined();
  });
});

describe('a document that is not ours', () => {
  it.each([
    ['another type', '{"granary":1,"type":"git-heads"}'],
    ['no JSON', 'ref: refs/heads/main\n'],
    ['a name that leads elsewhere', `{"granary":1,"objectFormat":"sha1","peeled":{},"refs":{"refs/heads/../../x":"${id(1)}"},"type":"git-refs"}`],
    ['members of every object', `{"granary":1,"objectFormat":"sha1","peeled":{},"refs":{"__proto__":"${id(1)}"},"type":"git-refs"}`],
  ])('is refused for what it is: %s', async (_, text) => {
    const { blobs } = memoryStore();
    const { sha256: digest } = await blobs.put(Buffer.from(text), { maxBytes: 1000 });

    await expect(readRefState(blobs, digest)).rejects.toMatchObject({ name: 'GitFormatError', code: 'malformed' });
  });

  it('is refused when it builds on more than 32 others, however it came to be', async () => {
    const { blobs } = memoryStore();
    const put = async (bytes: Uint8Array) => (await blobs.put(bytes, { maxBytes: 100_000 })).sha256;
    let digest = await put(encodeSnapshot(stateAt(0)));
    for (let look = 1; look <= 33; look += 1) digest = await put(encodeDelta(digest, stateAt(look - 1), stateAt(look)));

    await expect(readRefState(blobs, digest)).rejects.toThrow(/more than 32 documents lie between it and a whole one$/);
  });

  it('is refused when it builds on one that is not there, or was made for another', async () => {
    const { blobs } = memoryStore();
    const put = async (bytes: Uint8Array) => (await blobs.put(bytes, { maxBytes: 100_000 })).sha256;
    const lost = await put(encodeDelta(sha256('lost'), stateAt(0), stateAt(1)));
    const small = { ...stateAt(0), refs: new Map([['refs/heads/main', id(1)]]) };
    const stray = await put(encodeDelta(await put(encodeSnapshot(small)), stateAt(0), { ...small, head: 'refs/heads/main' }));

    await expect(readRefState(blobs, lost)).rejects.toThrow(`read refs ${sha256('lost')}: not in the store`);
    await expect(readRefState(blobs, stray)).rejects.toThrow(/is gone and was not there$/);
  });
});

it('the packs of a repository are those that have an index, and no file of another', () => {
  const site = openSite();
  const pack = (name: string, companions: Readonly<Record<string, Sha256>>, of = LAMP): Fact => ({
    kind: 'stored',
    subject: `${of}?file_name=${name}`,
    inputs: [sha256(name)],
    body: { sha256: sha256(name), sizeBytes: 1, path: name, companions, evidence: [] },
  });
  site.record(pack('one.pack', { idx: sha256('one.idx') }));
  site.record(pack('notes', {}));
  site.record(pack('two.pack', { idx: sha256('two.idx') }, formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'candle' })));

  expect(heldPacks(site.catalog, LAMP)).toEqual([{ pack: sha256('one.pack'), index: sha256('one.idx') }]);
});

/** A store and a ledger that hold what looks at one repository wrote. */
function openSite() {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const documents: Uint8Array[] = [];
  const digests: Sha256[] = [];
  const record = (fact: Fact) => catalog.fold(ORIGIN, [{ index: catalog.size(ORIGIN), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const known = (): Promise<KnownRefs | undefined> => readKnownRefs({ blobs, catalog }, LAMP);
  return {
    ...{ blobs, catalog, digests, record, known },
    async see(state: RefState) {
      const before = await known();
      const bytes = documentOf(before, state);
      const { sha256: document, sizeBytes } = await blobs.put(bytes, { maxBytes: bytes.length });
      documents.push(bytes);
      digests.push(document);
      const body = { document, sizeBytes, mediaType: 'application/json', url: 'https://forge.example/owner/lamp' };
      record({ kind: 'observed', subject: LAMP, body, ...(before === undefined ? {} : { prev: before.fact.key }) });
    },
    types: () => documents.map((bytes) => (decodeSnapshot(bytes).type === 'whole' ? 'w' : 'd')),
  };
}
