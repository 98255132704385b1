import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInstalled, madeBy, type ZipOptions, type ZipPart, zipBytes } from '../test/index.ts';
import { type ArchiveCode, ArchiveError, type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, duplicatePaths, leavesRoot, readZip } from './index.ts';

/** Reads a zip and every content in it; what it throws, by code. */
async function codeOf(bytes: Uint8Array, limits: Partial<ArchiveLimits> = {}): Promise<ArchiveCode | 'read'> {
  try {
    const { entries } = await readZip(bytes, { ...DEFAULT_ARCHIVE_LIMITS, ...limits });
    for (const { content } of entries) content.read();
    return 'read';
  } catch (error) {
    if (error instanceof ArchiveError) return error.code;
    throw error;
  }
}

function codeOfParts(parts: readonly ZipPart[], options?: ZipOptions): Promise<ArchiveCode | 'read'> {
  return codeOf(zipBytes(parts, options));
}

const file: ZipPart = { name: 'a.txt', data: 'hello' };

describe.skipIf(!isInstalled('python3'))('a zip by a real tool (needs python3)', () => {
  it('of Python is read with its metadata', async () => {
    const archive = await readZip(madeBy('mkdir d; printf hello > d/a.txt; printf "#!/bin/sh\\n" > d/run; chmod 755 d/run; python3 -m zipfile -c out d'));

    expect(archive.entries.map(({ path, type, mode }) => [path, type, mode.toString(8)]).sort()).toEqual([
      ['d', 'directory', '755'],
      ['d/a.txt', 'file', '644'],
      ['d/run', 'file', '755'],
    ]);
    expect(archive.entries.every(({ header }) => header.createSystem === 3)).toBe(true);
  });

  it('written to a pipe, with sizes behind the data, is read', async () => {
    const bytes = madeBy(`printf hello > a.txt; python3 -c "
import sys, zipfile
class Pipe:
    def write(self, b): return sys.stdout.buffer.write(b)
    def flush(self): pass
with zipfile.ZipFile(Pipe(), 'w', zipfile.ZIP_DEFLATED) as z: z.write('a.txt')
" > out`);

    const [entry] = (await readZip(bytes)).entries;

    expect(Buffer.from(entry?.content.read() ?? []).toString()).toBe('hello');
    expect((entry?.header.flags ?? 0) & 8).toBe(8);
  });

  it('in zip64 form is read', async () => {
    const bytes = madeBy(`python3 -c "
import zipfile
with zipfile.ZipFile('out', 'w') as z:
    with z.open('a.txt', 'w', force_zip64=True) as f: f.write(b'hello')
"`);

    expect((await readZip(bytes)).entries.map(({ path, content }) => [path, content.sizeBytes])).toEqual([['a.txt', 5]]);
    expect(await codeOfParts([file], { zip64: true })).toBe('read');
  });

  it('with a link keeps it as a link, and says when it leaves the archive', async () => {
    const bytes = madeBy(`python3 -c "
import zipfile
with zipfile.ZipFile('out', 'w') as z:
    for name, target in (('d/in', '../a.txt'), ('d/up', '../../x'), ('abs', '/etc/passwd')):
        i = zipfile.ZipInfo(name); i.create_system = 3; i.external_attr = 0o120777 << 16
        z.writestr(i, target)
"`);

    expect((await readZip(bytes)).entries.map((entry) => [entry.path, entry.type, entry.target, leavesRoot(entry)])).toEqual([
      ['d/in', 'link', '../a.txt', false],
      ['d/up', 'link', '../../x', true],
      ['abs', 'link', '/etc/passwd', true],
    ]);
  });
});

describe('a hostile zip', () => {
  it.each(['../x', 'a/../../x', '/etc/passwd', 'C:/x', 'c:x', 'a\\b', '..\\x', 'a\u0000b', 'a\nb', 'a//b', 'a/./b'])(
    'with the path %j is refused',
    async (name) => {
      expect(await codeOfParts([{ name, data: 'x' }])).toBe('unsafe-path');
    },
  );

  it('with a name that is not UTF-8 though it says so is refused', async () => {
    expect(await codeOfParts([{ name: Buffer.from([0x61, 0xff]), data: 'x' }])).toBe('unsafe-path');
  });

  it('with an entry below a link is refused', async () => {
    expect(
      await codeOfParts([
        { name: 'd', data: '/tmp', mode: 0o120777 },
        { name: 'd/x', data: 'x' },
      ]),
    ).toBe('unsafe-path');
  });

  it('with another name in the local header is refused', async () => {
    expect(await codeOfParts([{ ...file, localName: 'b.txt' }])).toBe('headers-disagree');
  });

  it('with another name in its Unicode extra field is refused', async () => {
    const name = Buffer.from('evil.txt');
    const field = Buffer.concat([Buffer.from([0x75, 0x70, 5 + name.length, 0, 1, 0, 0, 0, 0]), name]);
    field.writeUInt32LE(crc32('a.txt'), 5);

    expect(await codeOfParts([{ ...file, extra: field }])).toBe('headers-disagree');
  });

  it.each<[string, ZipPart, ArchiveCode]>([
    ['a size too small', { ...file, sizeBytes: 2 }, 'size-mismatch'],
    ['a size too large', { ...file, sizeBytes: 900 }, 'size-mismatch'],
    ['another size in the local header', { ...file, localSizeBytes: 4 }, 'size-mismatch'],
    ['a stored entry of two sizes', { ...file, method: 0, sizeBytes: 9 }, 'size-mismatch'],
    ['a wrong CRC', { ...file, crc32: 1 }, 'crc-mismatch'],
    ['another CRC in the local header', { ...file, localCrc32: 1 }, 'headers-disagree'],
    ['another method in the local header', { ...file, localMethod: 0 }, 'headers-disagree'],
    ['an unknown method', { ...file, method: 14 }, 'unsupported'],
    ['encryption', { ...file, flags: 1 }, 'encrypted'],
    ['bytes after its deflate stream', { ...file, packed: Buffer.concat([deflateRawSync('hello'), Buffer.from('hidden')]) }, 'hidden-data'],
    ['half a deflate stream', { ...file, packed: deflateRawSync('hello').subarray(0, 3) }, 'truncated'],
    ['no deflate stream', { ...file, packed: Buffer.alloc(9, 0xff) }, 'malformed'],
    ['a folder with content', { ...file, name: 'd/', mode: 0o040755 }, 'malformed'],
    ['a folder in the name and a file in the mode', { name: 'd/', mode: 0o100644 }, 'headers-disagree'],
  ])('with %s is refused', async (_, part, code) => {
    expect(await codeOfParts([part])).toBe(code);
  });

  it('with bytes that belong to no entry is refused', async () => {
    const hidden = Buffer.from('hidden');

    expect(await codeOfParts([{ ...file, before: hidden }])).toBe('hidden-data');
    expect(await codeOfParts([file, { ...file, name: 'b', before: hidden }])).toBe('hidden-data');
    expect(await codeOfParts([file], { beforeDirectory: hidden })).toBe('hidden-data');
    expect(await codeOfParts([file], { after: hidden })).toBe('hidden-data');
    expect(await codeOf(Buffer.concat([hidden, zipBytes([file])]))).toMatch(/hidden-data|malformed/);
  });

  it('with more entries than it counts, or fewer, is refused', async () => {
    const two = [file, { ...file, name: 'b' }];

    expect(await codeOfParts(two, { entryCount: 1 })).toBe('hidden-data');
    expect(await codeOfParts(two, { entryCount: 3 })).toMatch(/malformed|truncated/);
  });

  it('whose entries overlap, as in a bomb without recursion, is refused', async () => {
    expect(await codeOfParts([file, { ...file, offset: 0 }])).toBe('overlap');
  });

  it('with a descriptor that disagrees is refused, and with any honest form is read', async () => {
    for (const descriptor of ['signed', 'plain', 'wide'] as const) expect(await codeOfParts([{ ...file, descriptor }])).toBe('read');
    expect(await codeOfParts([{ ...file, flags: 8 }])).toBe('headers-disagree');
  });

  it('cut off anywhere is refused', async () => {
    const bytes = zipBytes([file, { ...file, name: 'b' }], { comment: 'end' });

    for (let length = 0; length < bytes.length; length += 1) expect(await codeOf(bytes.subarray(0, length))).not.toBe('read');
  });

  it('with devices and set-id files shows them', async () => {
    const { entries } = await readZip(
      zipBytes([
        { name: 'dev', mode: 0o020666 },
        { name: 'fifo', mode: 0o010644 },
        { name: 'su', mode: 0o104755 },
      ]),
    );

    expect(entries.map(({ type, mode }) => [type, mode])).toEqual([
      ['device', 0o666],
      ['fifo', 0o644],
      ['file', 0o4755],
    ]);
  });

  it('with a path that stands twice names it', async () => {
    expect(duplicatePaths(await readZip(zipBytes([file, { ...file, data: 'other' }])))).toEqual(['a.txt']);
    expect(duplicatePaths(await readZip(zipBytes([file, { ...file, name: './a.txt' }])))).toEqual(['a.txt']);
  });
});

describe('each limit on a zip', () => {
  const zeros: ZipPart = { name: 'zeros', data: Buffer.alloc(100_000) };

  it.each<[keyof ArchiveLimits, Buffer, Partial<ArchiveLimits>, ArchiveCode]>([
    ['maxArchiveBytes', zipBytes([file]), { maxArchiveBytes: 100 }, 'archive-too-large'],
    ['maxEntries', zipBytes([file, { ...file, name: 'b' }]), { maxEntries: 1 }, 'too-many-entries'],
    ['maxTotalBytes', zipBytes([zeros, { ...zeros, name: 'more' }]), { maxTotalBytes: 150_000 }, 'total-too-large'],
    ['maxEntryBytes', zipBytes([zeros]), { maxEntryBytes: 99_999 }, 'entry-too-large'],
    ['maxRatio', zipBytes([zeros]), { maxRatio: 10, ratioFloorBytes: 50_000 }, 'ratio-too-high'],
    ['maxDepth', zipBytes([{ ...file, name: 'a/b/c' }]), { maxDepth: 2 }, 'path-too-deep'],
    ['maxPathBytes', zipBytes([{ ...file, name: 'ä'.repeat(6) }]), { maxPathBytes: 11 }, 'path-too-long'],
  ])('%s is kept', async (_, bytes, limits, code) => {
    expect(await codeOf(bytes)).toBe('read');
    expect(await codeOf(bytes, limits)).toBe(code);
  });

  it('ratioFloorBytes lets a small file of zeros pass', async () => {
    expect(await codeOf(zipBytes([zeros]), { maxRatio: 10, ratioFloorBytes: 100_000 })).toBe('read');
  });

  it('holds when the size in the header lies: no more than stated is ever unpacked', async () => {
    expect(await codeOf(zipBytes([{ ...zeros, sizeBytes: 10 }]), { maxTotalBytes: 20 })).toBe('size-mismatch');
  });
});

describe('any bytes', () => {
  it('that follow a changed zip are read or refused, never anything else', async () => {
    const bytes = zipBytes([file, { name: 'd/b', data: 'x'.repeat(300), descriptor: 'signed' }, { name: 'l', data: 'a.txt', mode: 0o120777 }], { zip64: true });

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        expect(typeof (await codeOf(changed, { maxTotalBytes: 10_000 }))).toBe('string');
      }),
      { numRuns: 600 },
    );
  });

  it('at all are read or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect(await codeOf(bytes)).not.toBe('read');
      }),
      { numRuns: 200 },
    );
  });

  it('packed by an honest writer come back', async () => {
    const part = fc.record({
      name: fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,3}$/),
      data: fc.uint8Array({ maxLength: 300 }),
      method: fc.constantFrom(0, 8),
    });

    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(part, { selector: ({ name }) => `${name}.x`, maxLength: 6 }), async (parts) => {
        const made = parts.map(({ name, data, method }) => ({ name: `${name}.x`, data: Buffer.from(data), method }));
        const { entries } = await readZip(zipBytes(made));
        expect(entries.map(({ path, content }) => [path, Buffer.from(content.read())])).toEqual(made.map(({ name, data }) => [name, data]));
      }),
      { numRuns: 50 },
    );
  });
});
