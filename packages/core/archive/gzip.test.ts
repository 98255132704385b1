import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { madeBy } from '../test/index.ts';
import { type ArchiveCode, ArchiveError, DEFAULT_ARCHIVE_LIMITS, gunzip } from './index.ts';

function codeOf(bytes: Uint8Array, limits = DEFAULT_ARCHIVE_LIMITS): ArchiveCode | 'read' {
  try {
    gunzip(bytes, limits);
    return 'read';
  } catch (error) {
    if (error instanceof ArchiveError) return error.code;
    throw error;
  }
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('a gzip file', () => {
  it('of GNU gzip keeps its header', () => {
    const { bytes, headers } = gunzip(madeBy("printf hello > name; touch -d '2001-02-03T04:05:06Z' name; gzip -9 name; mv name.gz out"));

    expect(text(bytes)).toBe('hello');
    expect(headers).toEqual([{ mtime: 981_173_106, extraFlags: 2, operatingSystem: 3, textFlag: false, name: 'name' }]);
  });

  it('of several members is read as one, each header kept', () => {
    const { bytes, headers } = gunzip(Buffer.concat([gzipSync('one '), gzipSync('two'), Buffer.alloc(16)]));

    expect([text(bytes), headers.length]).toEqual(['one two', 2]);
  });

  it('with every optional field is read', () => {
    const plain = gzipSync('hello');
    const full = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 1 | 4 | 8 | 16, 0, 0, 0, 0, 0, 255, 2, 0, 0xaa, 0xbb]), Buffer.from('n\0c\0'), plain.subarray(10)]);

    expect(gunzip(full).headers).toEqual([{ mtime: 0, extraFlags: 0, operatingSystem: 255, textFlag: true, name: 'n', comment: 'c', extra: 'aabb' }]);
  });
});

describe('a hostile gzip file', () => {
  const honest = gzipSync('hello hello hello');

  it.each<[string, Buffer, ArchiveCode]>([
    ['that is none', Buffer.from('hello, this is no gzip'), 'malformed'],
    ['of another method', changed(honest, 2, 7), 'unsupported'],
    ['with a reserved flag', changed(honest, 3, 0x20), 'unsupported'],
    ['with a wrong CRC', changed(honest, -5, 1), 'crc-mismatch'],
    ['with a wrong size', changed(honest, -1, 1), 'size-mismatch'],
    ['with a wrong header CRC', Buffer.concat([changed(honest, 3, 2).subarray(0, 10), Buffer.from([1, 1]), honest.subarray(10)]), 'crc-mismatch'],
    ['with a byte after it', Buffer.concat([honest, Buffer.from('x')]), 'hidden-data'],
    ['with many bytes after it', Buffer.concat([honest, Buffer.from('hidden, and more than a header')]), 'hidden-data'],
    ['with half a member after it', Buffer.concat([honest, honest.subarray(0, 9)]), 'truncated'],
    ['of too many members', Buffer.concat(Array.from({ length: 1025 }, () => gzipSync(''))), 'too-many-entries'],
  ])('%s is refused', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('cut off anywhere is refused', () => {
    for (let length = 0; length < honest.length; length += 1) expect(codeOf(honest.subarray(0, length))).toBe('truncated');
  });

  it('that unpacks to more than the limits allow, in one member or in many, is refused', () => {
    const bomb = gzipSync(Buffer.alloc(200_000));

    expect(codeOf(bomb, { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: 199_999 })).toBe('total-too-large');
    expect(codeOf(bomb, { ...DEFAULT_ARCHIVE_LIMITS, ratioFloorBytes: 1000, maxRatio: 100 })).toBe('ratio-too-high');
    expect(codeOf(Buffer.concat([bomb, bomb]), { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: 399_999 })).toBe('total-too-large');
    expect(codeOf(bomb, { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: 200_000 })).toBe('read');
  });

  it('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.nat(honest.length - 1), fc.nat(255), (at, value) => {
        expect(typeof codeOf(changed(honest, at, value))).toBe('string');
      }),
      { numRuns: 300 },
    );
  });
});
