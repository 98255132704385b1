import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Archive, isExecutable, readTar, readZip } from '../archive/index.ts';
import { paxPart, tarBytes, zipBytes } from '../test/index.ts';
import { tarNormalizers, zipNormalizers } from './index.ts';

const mode = fc.constantFrom(0o644, 0o664, 0o755, 0o700, 0o600, 0o4755, 0o2644);
const name = fc.stringMatching(/^[a-z]{1,4}(\/[a-z]{1,4}){0,2}$/);
const time = fc.nat(0x7fff_ffff);

const zips = fc
  .uniqueArray(
    fc.record({
      name: name.map((path) => `${path}.x`),
      mode: mode.map((bits) => 0o100000 | bits),
      dosTime: time,
      createSystem: fc.constantFrom(0, 3),
      method: fc.constantFrom(0, 8),
    }),
    { selector: (part) => part.name, maxLength: 5 },
  )
  .map((parts) => readZip(zipBytes(parts)));

const tars = fc
  .uniqueArray(fc.record({ name: name.map((path) => `${path}.x`), mode, mtime: time, uid: fc.nat(5000), uname: fc.constantFrom('', 'user') }), {
    selector: (part) => part.name,
    maxLength: 5,
  })
  .map(async (parts) => readTar(tarBytes(parts.flatMap((part) => [paxPart({ mtime: '1.5', 'SCHILY.xattr.user.note': 'kept' }), part]))));

/** What no rule may touch: everything that reaches an installation. */
function kept({ entries }: Archive): readonly string[] {
  return entries
    .filter(({ type }) => type !== 'directory')
    .map((entry) => JSON.stringify([entry.path, entry.type, isExecutable(entry), entry.mode & 0o7000, entry.target ?? '', entry.content.sha256()]))
    .sort();
}

describe.each([
  { format: 'zip', archives: zips, rules: zipNormalizers },
  { format: 'tar', archives: tars, rules: tarNormalizers },
])('the rules for $format', ({ archives, rules }) => {
  it('change nothing the second time, and say so by returning the same object', async () => {
    await fc.assert(
      fc.asyncProperty(archives, async (made) => {
        const once = rules.reduce<Archive>((archive, rule) => rule.apply(archive), await made);
        for (const rule of rules) expect(rule.apply(once), rule.ref.name).toBe(once);
      }),
      { numRuns: 50 },
    );
  });

  it('keep paths, types, executable and set-id bits, links and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(archives, async (made) => {
        const archive = await made;
        for (const rule of rules) expect(kept(rule.apply(archive)), rule.ref.name).toEqual(kept(archive));
      }),
      { numRuns: 50 },
    );
  });

  it('have names of their own, a version and a reason', () => {
    expect(new Set(rules.map(({ ref }) => ref.name)).size).toBe(rules.length);
    expect(rules.every(({ ref }) => ref.version >= 1 && ref.reason.length > 20)).toBe(true);
  });
});

describe('a rule', () => {
  it('keeps extended attributes, which are content to some', async () => {
    const archive = readTar(tarBytes([paxPart({ path: 'a', 'SCHILY.xattr.user.note': 'kept' }), { name: 'b' }]));

    const [entry] = tarNormalizers.reduce<Archive>((normalized, rule) => rule.apply(normalized), archive).entries;

    expect(entry !== undefined && 'pax' in entry.header ? entry.header.pax : []).toEqual([['SCHILY.xattr.user.note', 'kept']]);
  });

  it('keeps extra fields that it does not know', async () => {
    const time = Buffer.from('5554050001aabbccdd', 'hex');
    const unknown = Buffer.from('feca0000', 'hex');
    const archive = await readZip(zipBytes([{ name: 'a', extra: Buffer.concat([time, unknown]) }]));

    const [entry] = zipNormalizers.reduce<Archive>((normalized, rule) => rule.apply(normalized), archive).entries;

    expect(entry !== undefined && 'extra' in entry.header ? entry.header.extra : '').toBe('feca0000');
  });

  it('does not leave out an empty folder', async () => {
    const archive = await readZip(zipBytes([{ name: 'd/', mode: 0o040755 }, { name: 'd/a' }, { name: 'empty/', mode: 0o040755 }]));

    expect(zipNormalizers.reduce<Archive>((normalized, rule) => rule.apply(normalized), archive).entries.map(({ path }) => path)).toEqual(['d/a', 'empty']);
  });
});
