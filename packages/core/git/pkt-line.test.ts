import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePacket, encodeSpecial, type Packet, readPackets } from './index.ts';
import { codeOf, inPieces, packets } from './test/index.ts';

const read = (bytes: Uint8Array, { piece = 65_536, maxBytes = 1_000_000 } = {}): Promise<readonly Packet[]> =>
  Array.fromAsync(readPackets(inPieces(bytes, piece), { maxBytes }));
const text = (packet: Packet): string => ('bytes' in packet ? Buffer.from(packet.bytes).toString() : `|${packet.type}`);

describe('packets', () => {
  it('are written as gitprotocol-common shows them', () => {
    expect(['a\n', 'a', 'foobar\n', ''].map((payload) => Buffer.from(encodePacket(payload)).toString())).toEqual(['0006a\n', '0005a', '000bfoobar\n', '0004']);
    expect((['flush', 'delimiter', 'response-end'] as const).map((type) => Buffer.from(encodeSpecial(type)).toString())).toEqual(['0000', '0001', '0002']);
  });

  it('are as long as they may be, and no longer', async () => {
    const longest = encodePacket(new Uint8Array(65_516));

    expect(Buffer.from(longest.subarray(0, 4)).toString()).toBe('fff0');
    expect(await read(longest)).toHaveLength(1);
    expect(() => encodePacket(new Uint8Array(65_517))).toThrow(RangeError);
    expect(await codeOf(() => read(Buffer.concat([Buffer.from('fff1'), Buffer.alloc(65_517)])))).toBe('malformed');
  });

  it('are the same however the stream is cut', async () => {
    const part = fc.oneof(fc.constantFrom('|flush', '|delimiter', '|response-end'), fc.string({ unit: 'grapheme-ascii', maxLength: 40 }));

    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), async (parts, piece) => {
        expect((await read(packets(...parts), { piece })).map(text)).toEqual(parts);
      }),
    );
  });

  it('come in parts as the stream has them, where they begin with a byte that was named', async () => {
    const bytes = packets('\x01abcdefgh', '\x01', '\x02other', '', '\x01i', '|flush');
    const inParts = async (piece: number) => await Array.fromAsync(readPackets(inPieces(bytes, piece), { maxBytes: 1000, inParts: 1 }));

    expect((await inParts(1000)).map((packet) => (packet.type === 'part' ? ['part', text(packet), packet.isFirst] : text(packet)))).toEqual([
      ['part', 'abcdefgh', true],
      ['part', '', true],
      '\x02other',
      '',
      ['part', 'i', true],
      '|flush',
    ]);
    for (const piece of [1, 2, 3, 7, 11]) {
      const found = await inParts(piece);
      const parts = found.filter((packet) => packet.type === 'part');
      expect(parts.map(text).join('')).toBe('abcdefghi');
      expect(parts.filter(({ isFirst }) => isFirst)).toHaveLength(3);
      expect(found.filter(({ type }) => type === 'data').map(text)).toEqual(['\x02other', '']);
    }
    expect(await codeOf(() => Array.fromAsync(readPackets(inPieces(bytes.subarray(0, 9), 4), { maxBytes: 1000, inParts: 1 })))).toBe('truncated');
  });

  it.each([
    ['malformed', 'a length that is no number', '00zz'],
    ['malformed', 'a length with a sign', '+004'],
    ['malformed', 'the length that is reserved', '0003'],
    ['truncated', 'a length cut off', '000'],
    ['truncated', 'a payload cut off', '0008abc'],
    ['truncated', 'no payload', '0008'],
    ['read', 'nothing', ''],
    ['read', 'capitals in a length', '000Eabcdefghij'],
  ])('are %s with %s', async (code, _, bytes) => {
    expect(await codeOf(() => read(Buffer.from(bytes)))).toBe(code);
    expect(await codeOf(() => read(Buffer.from(bytes), { piece: 1 }))).toBe(code);
  });

  it('are refused when there are more bytes than allowed', async () => {
    const bytes = packets('abcd', '|flush');

    expect(await codeOf(() => read(bytes, { maxBytes: 12 }))).toBe('read');
    expect(await codeOf(() => read(bytes, { maxBytes: 11 }))).toBe('too-large');
  });
});
