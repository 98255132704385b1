import { describe, expect, it } from 'vitest';
import { type ComputedFact, decodeLeaf, encodeEntry, factKey, parsePurl, releaseOf, type StateFact, sha256, toInstant } from './index.ts';

const at = toInstant(1_700_000_000_000);
const stored: ComputedFact = { kind: 'stored', subject: 'pkg:pypi/six@1.16.0?file_name=six.whl', inputs: [sha256('a')], body: { sizeBytes: 3 } };

describe('a fact', () => {
  it('has a key that its outcome is no part of, when computed', () => {
    expect(factKey({ ...stored, body: { sizeBytes: 4 } })).toBe(factKey(stored));
    expect(factKey({ ...stored, build: 2 })).not.toBe(factKey(stored));
  });

  it('has a key that names the state before it, so that going back is a new fact', () => {
    const yanked: StateFact = { kind: 'observed', subject: 'pkg:pypi/six', body: { document: 'x' } };

    expect(factKey({ ...yanked, prev: sha256('earlier') })).not.toBe(factKey(yanked));
  });

  it('has a key that what two runs may differ in is no part of', () => {
    const seen: StateFact = { kind: 'observed', subject: 'pkg:pypi/six', body: { document: 'x', run: { durationMs: 5 } } };

    expect(factKey({ ...seen, body: { document: 'x', run: { durationMs: 7 } } })).toBe(factKey(seen));
    expect(factKey({ ...seen, body: { document: 'x' } })).toBe(factKey(seen));
  });

  it('survives a round trip through a leaf', () => {
    expect(decodeLeaf(encodeEntry(stored, 'key', at))).toEqual({ type: 'entry', entry: { ...stored, granary: 1, author: 'key', at } });
  });

  it('is refused above 8 KiB', () => {
    expect(() => encodeEntry({ ...stored, body: { note: 'x'.repeat(9000) } }, 'key', at)).toThrow(/at most 8192/);
  });
});

describe('a leaf', () => {
  const leaf = (text: string) => decodeLeaf(new TextEncoder().encode(text)).type;

  it('is malformed unless it is canonical JSON', () => {
    expect(leaf('{"granary": 1}')).toBe('malformed');
    expect(leaf('{"granary":1,"kind":"x","n":1.5}')).toBe('malformed');
    expect(leaf('{"granary":1,"granary":1}')).toBe('malformed');
  });

  it('is malformed when its bytes are not exactly those of its text', () => {
    const note = encodeEntry({ ...stored, body: { note: 'x' } }, 'key', at);
    const invalid = note.map((byte) => (byte === 0x78 ? 0xff : byte));
    const marked = new Uint8Array([0xef, 0xbb, 0xbf, ...note]);

    expect(decodeLeaf(note).type).toBe('entry');
    expect(decodeLeaf(invalid).type).toBe('malformed');
    expect(decodeLeaf(marked).type).toBe('malformed');
  });

  it.each(['2023-11-14T22:13:20Z', '2023-11-14T22:13:20.000+00:00', '2023-02-30T00:00:00.000Z', 'Tue, 14 Nov 2023 22:13:20', '2023-11-14 22:13:20.000Z'])(
    'is malformed when it was stamped %s',
    (stamp) => {
      const bytes = new TextDecoder().decode(encodeEntry(stored, 'key', at)).replace(at, stamp);

      expect(leaf(bytes)).toBe('malformed');
    },
  );

  it('of an unknown kind is kept, unless it says that it is critical', () => {
    expect(leaf(`{"at":"${at}","author":"k","granary":1,"kind":"later"}`)).toBe('unknown-optional');
    expect(leaf(`{"at":"${at}","author":"k","critical":true,"granary":1,"kind":"later"}`)).toBe('unknown-critical');
    expect(leaf('{"granary":2}')).toBe('unknown-critical');
  });

  it('that is no fact is foreign', () => {
    expect(leaf('{"apiVersion":"0.0.2"}')).toBe('foreign');
  });
});

it('names the release of an artifact', () => {
  const artifact = parsePurl('pkg:pypi/click@8.1.7?file_name=click-8.1.7-py3-none-any.whl');

  expect(artifact && releaseOf(artifact)).toBe('pkg:pypi/click@8.1.7');
});
