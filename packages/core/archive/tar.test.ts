import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { isInstalled, madeBy, paxPart, paxRecord, type TarPart, tarBytes, tarHeader } from '../test/index.ts';
import { type ArchiveCode, ArchiveError, type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, leavesRoot, readTar, readTarGz, type TarArchive } from './index.ts';

function codeOf(read: () => TarArchive): ArchiveCode | 'read' {
  try {
    for (const { content } of read().entries) content.read();
    return 'read';
  } catch (error) {
    if (error instanceof ArchiveError) return error.code;
    throw error;
  }
}

function codeOfParts(parts: readonly TarPart[], end?: Buffer): ArchiveCode | 'read' {
  return codeOf(() => readTar(tarBytes(parts, end)));
}

const file: TarPart = { name: 'a.txt', data: 'hello' };

describe('a tar by a real tool', () => {
  const tree =
    'mkdir -p p/d; printf hello > p/d/a.txt; printf x > p/run; chmod 755 p/run; ln -s d/a.txt p/link; ln p/run p/same; name=$(printf %0150d 1); printf y > p/$name; ln -s "$(printf %0120d 2)" p/far;';

  it.each(['gnu', 'pax', 'ustar'])('GNU tar, in %s format, is read with links and long names', (format) => {
    const shorter = format === 'ustar' ? 'rm p/far; mkdir p/e; mv p/0* p/e/;' : '';

    const { entries } = readTar(
      madeBy(`${tree} ${shorter.replace('mv p/0* p/e/', 'rm p/0*')} tar --format=${format} --sort=name --owner=root:0 --group=root:0 -cf out p`),
    );

    const found = new Map(entries.map((entry) => [entry.path, entry]));
    expect(Buffer.from(found.get('p/d/a.txt')?.content.read() ?? []).toString()).toBe('hello');
    expect([found.get('p')?.type, found.get('p/link')?.target, found.get('p/same')?.type, found.get('p/same')?.target]).toEqual([
      'directory',
      'd/a.txt',
      'hardlink',
      'p/run',
    ]);
    expect(found.get('p/run')?.mode).toBe(0o755);
    if (format !== 'ustar') expect([found.has(`p/${'1'.padStart(150, '0')}`), found.get('p/far')?.target]).toEqual([true, '2'.padStart(120, '0')]);
  });

  it.skipIf(!isInstalled('python3')).each(['USTAR', 'GNU', 'PAX'])('Python tarfile, in %s format, is read (needs python3)', (format) => {
    const { entries, gzip } = readTarGz(
      madeBy(`mkdir p; printf hello > p/ä.txt; python3 -c "
import tarfile
with tarfile.open('out', 'w:gz', format=tarfile.${format}_FORMAT) as t: t.add('p')
"`),
    );

    expect(entries.map(({ path }) => path)).toEqual(['p', 'p/ä.txt']);
    expect(gzip).toHaveLength(1);
  });

  it('made of a folder as it lies names that folder as the root', () => {
    const { entries } = readTar(madeBy('mkdir d; printf x > d/a; tar -C d -cf out .'));

    expect(entries.map(({ path, type }) => [path, type])).toEqual([
      ['.', 'directory'],
      ['a', 'file'],
    ]);
  });

  it('with holes is refused', () => {
    expect(codeOf(() => readTar(madeBy('truncate -s 1M h; printf x >> h; tar --format=gnu -S -cf out h')))).toBe('sparse');
    expect(codeOf(() => readTar(madeBy('truncate -s 1M h; printf x >> h; tar --format=pax -S -cf out h')))).toBe('sparse');
  });

  it('gives what tar-stream reads of it', async () => {
    const bytes = madeBy(`${tree} tar --format=pax -cf out p`);

    const expected = await entriesByTarStream(bytes);

    expect(readTar(bytes).entries.map(({ path, content, target }) => [path, content.sizeBytes, target ?? null])).toEqual(expected);
  });
});

async function entriesByTarStream(bytes: Buffer): Promise<readonly (readonly [string, number, string | null])[]> {
  const reader = extract();
  reader.end(bytes);
  const entries: (readonly [string, number, string | null])[] = [];
  for await (const entry of reader) {
    entries.push([entry.header.name.replace(/\/$/, ''), entry.header.size ?? 0, entry.header.linkname ?? null]);
    entry.resume();
  }
  return entries;
}

describe('a hostile tar', () => {
  it.each(['../x', '/etc/passwd', 'a/../../x', 'C:/x', 'a\\b', 'a\nb', 'a//b'])('with the path %j is refused, however it is written', (name) => {
    expect(codeOfParts([{ name }])).toBe('unsafe-path');
    expect(codeOfParts([paxPart({ path: name }), file])).toBe('unsafe-path');
    expect(codeOfParts([{ name: '././@LongLink', typeflag: 'L', data: `${name}\u0000` }, file])).toBe('unsafe-path');
  });

  it('with an entry below a link is refused', () => {
    expect(codeOfParts([{ name: 'd', typeflag: '2', linkName: '/tmp' }, { name: 'd/x' }])).toBe('unsafe-path');
  });

  it('with devices, pipes and set-id files shows them', () => {
    const { entries } = readTar(
      tarBytes([
        { name: 'c', typeflag: '3' },
        { name: 'b', typeflag: '4' },
        { name: 'p', typeflag: '6' },
        { name: 's', mode: 0o4755 },
      ]),
    );

    expect(entries.map(({ type, mode }) => [type, mode])).toEqual([
      ['device', 0o644],
      ['device', 0o644],
      ['fifo', 0o644],
      ['file', 0o4755],
    ]);
  });

  it('with links that leave the archive says so', () => {
    const { entries } = readTar(
      tarBytes([
        { name: 'd/in', typeflag: '2', linkName: '../a' },
        { name: 'd/up', typeflag: '2', linkName: '../../a' },
        { name: 'd/same', typeflag: '1', linkName: 'a' },
        { name: 'd/hard', typeflag: '1', linkName: '../a' },
      ]),
    );

    expect(entries.map(leavesRoot)).toEqual([false, true, false, true]);
  });

  it.each<[string, readonly TarPart[], ArchiveCode]>([
    ['a wrong checksum', [{ ...file, checksum: 1 }], 'malformed'],
    ['an unknown magic', [{ ...file, magic: 'rustar00' }], 'unsupported'],
    ['an unknown type', [{ ...file, typeflag: 'V' }], 'unsupported'],
    ['a sparse entry', [{ ...file, typeflag: 'S' }], 'sparse'],
    ['a sparse entry in pax form', [paxPart({ 'GNU.sparse.major': '1' }), file], 'sparse'],
    ['a size beyond its end', [{ ...file, sizeBytes: 5000 }], 'truncated'],
    ['a size in pax form beyond its end', [paxPart({ size: '99999' }), file], 'truncated'],
    ['a size that is no number', [{ ...file, sizeField: Buffer.from('0000000000x\u0000') }], 'malformed'],
    ['a negative size', [{ ...file, sizeField: Buffer.alloc(12, 0xff) }], 'malformed'],
    ['a size beyond 2^53', [{ ...file, sizeField: Buffer.from('80ffffffffffffffffffffff', 'hex') }], 'malformed'],
    ['a folder with content', [{ name: 'd', typeflag: '5', data: 'x' }], 'malformed'],
    ['a link with content', [{ name: 'l', typeflag: '2', linkName: 'a', data: 'x' }], 'malformed'],
    ['a link to nothing', [{ name: 'l', typeflag: '2' }], 'malformed'],
    ['two names for one entry', [{ name: 'L', typeflag: 'L', data: 'b\u0000' }, paxPart({ path: 'c' }), file], 'headers-disagree'],
    ['two pax headers for one entry', [paxPart({ path: 'b' }), paxPart({ path: 'c' }), file], 'headers-disagree'],
    ['an extended header that no entry follows', [file, paxPart({ path: 'b' })], 'malformed'],
    ['a pax record that is not as long as it says', [{ name: 'x', typeflag: 'x', data: '99 path=b\n' }, file], 'malformed'],
    ['a pax record without a length', [{ name: 'x', typeflag: 'x', data: 'path=b\n' }, file], 'malformed'],
    [
      'a pax header that is not UTF-8',
      [{ name: 'x', typeflag: 'x', data: Buffer.from(paxRecord('path', 'ab'), 'latin1').fill(0xff, 8, 9) }, file],
      'malformed',
    ],
    ['an extended header without end', [{ name: 'x', typeflag: 'x', data: Buffer.alloc(1024 * 1024 + 1, 0x20) }, file], 'entry-too-large'],
    ['GNU fields where others have a prefix', [{ ...file, magic: 'ustar  \u0000', prefix: '0001' }], 'unsupported'],
  ])('with %s is refused', (_, parts, code) => {
    expect(codeOfParts(parts)).toBe(code);
  });

  it('with entries after its end mark is refused', () => {
    expect(codeOfParts([file], Buffer.concat([Buffer.alloc(1024), tarBytes([{ name: 'hidden' }])]))).toBe('hidden-data');
  });

  it('without an end mark, or with long padding, is read', () => {
    expect(codeOfParts([file], Buffer.alloc(0))).toBe('read');
    expect(codeOfParts([file], Buffer.alloc(10240))).toBe('read');
  });

  it('cut off within a header or its data is refused', () => {
    const bytes = tarBytes([file, { ...file, name: 'b' }]);

    for (const length of [1, 511, 513, 516, 1025, 1535, 1540]) expect(codeOf(() => readTar(bytes.subarray(0, length)))).toBe('truncated');
  });

  it('takes the pax value of a name, and keeps a global one for all that follow', () => {
    const { entries } = readTar(tarBytes([paxPart({ comment: 'abc' }, 'g'), paxPart({ path: 'long', mtime: '1.5' }), file, { ...file, name: 'b' }]));

    expect(entries.map(({ path, header }) => [path, header.pax])).toEqual([
      [
        'long',
        [
          ['comment', 'abc'],
          ['path', 'long'],
          ['mtime', '1.5'],
        ],
      ],
      ['b', [['comment', 'abc']]],
    ]);
  });
});

describe('each limit on a tar', () => {
  const zeros: TarPart = { name: 'zeros', data: Buffer.alloc(100_000) };

  it.each<[string, Buffer, Partial<ArchiveLimits>, ArchiveCode]>([
    ['maxArchiveBytes', gzipSync(tarBytes([file])), { maxArchiveBytes: 60 }, 'archive-too-large'],
    ['maxEntries', gzipSync(tarBytes([file, { ...file, name: 'b' }])), { maxEntries: 1 }, 'too-many-entries'],
    ['maxEntries, of extended headers', gzipSync(tarBytes([1, 2, 3].flatMap(() => [paxPart({ comment: 'x' }, 'g')]))), { maxEntries: 1 }, 'too-many-entries'],
    ['maxTotalBytes', gzipSync(tarBytes([zeros])), { maxTotalBytes: 100_000 }, 'total-too-large'],
    ['maxEntryBytes', gzipSync(tarBytes([zeros])), { maxEntryBytes: 99_999 }, 'entry-too-large'],
    ['maxRatio', gzipSync(tarBytes([zeros])), { maxRatio: 10, ratioFloorBytes: 50_000 }, 'ratio-too-high'],
    ['maxDepth', gzipSync(tarBytes([{ ...file, name: 'a/b/c' }])), { maxDepth: 2 }, 'path-too-deep'],
    ['maxPathBytes', gzipSync(tarBytes([{ ...file, name: 'ä'.repeat(6) }])), { maxPathBytes: 11 }, 'path-too-long'],
    ['maxPathBytes, of a link target', gzipSync(tarBytes([{ name: 'l', typeflag: '2', linkName: 'x'.repeat(12) }])), { maxPathBytes: 11 }, 'path-too-long'],
    ['maxPathBytes, of a long name', gzipSync(tarBytes([{ name: 'L', typeflag: 'L', data: 'x'.repeat(40) }, file])), { maxPathBytes: 11 }, 'path-too-long'],
  ])('%s is kept', (_, bytes, limits, code) => {
    expect(codeOf(() => readTarGz(bytes))).toBe('read');
    expect(codeOf(() => readTarGz(bytes, { ...DEFAULT_ARCHIVE_LIMITS, ...limits }))).toBe(code);
  });
});

describe('any bytes', () => {
  it('that follow a changed tar are read or refused, never anything else', () => {
    const bytes = tarBytes([
      paxPart({ path: 'p/long', size: '5' }),
      file,
      { name: 'L', typeflag: 'L', data: 'b\u0000' },
      { ...file, mode: 0o755 },
      { name: 'l', typeflag: '2', linkName: 'a.txt' },
    ]);

    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        expect(typeof codeOf(() => readTar(changed))).toBe('string');
      }),
      { numRuns: 500 },
    );
  });

  it('in a header with a right checksum are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (noise) => {
        const block = Buffer.from(noise);
        block.write('ustar\u000000', 257, 'latin1');
        block.fill(0x20, 148, 156);
        block.write(
          `${block
            .reduce((sum, byte) => sum + byte, 0)
            .toString(8)
            .padStart(6, '0')}\u0000`,
          148,
          'latin1',
        );
        expect(typeof codeOf(() => readTar(Buffer.concat([block, tarHeader(file), Buffer.alloc(2048)])))).toBe('string');
      }),
      { numRuns: 300 },
    );
  });

  it('packed as a pax name come back', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zäß☃]{1,200}$/), (name) => {
        expect(readTar(tarBytes([paxPart({ path: name }), file])).entries.map(({ path }) => path)).toEqual([name]);
      }),
      { numRuns: 100 },
    );
  });
});
