import { readFileSync } from 'node:fs';
import { toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { openSignedRelease, parseRelease } from './index.ts';

const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`golden/${name}`, import.meta.url)));
const inRelease = golden('InRelease');
const at = toInstant(Date.UTC(2024, 0, 2));
const altered = (from: string, to: string): Uint8Array => new TextEncoder().encode(new TextDecoder().decode(inRelease).replace(from, to));

const ARCHIVE_KEY = '8857954632EFC6484D2D664B84F5F9CBCD763A2F';
const ANOTHER_KEY = 'E6781DE710AB9D4A57E7370CCC1111409C1C97FB';

describe('a signed index', () => {
  it('is opened by each key that signed it, in a binary or an armoured keyring', async () => {
    expect((await openSignedRelease(inRelease, [golden('archive.gpg')], at)).signedBy).toEqual([ARCHIVE_KEY]);
    expect((await openSignedRelease(inRelease, [golden('another.asc')], at)).signedBy).toEqual([ANOTHER_KEY]);
    expect((await openSignedRelease(inRelease, [golden('archive.gpg'), golden('another.asc')], at)).signedBy).toEqual([ARCHIVE_KEY, ANOTHER_KEY].sort());
  });

  it('says what was signed', async () => {
    const { text } = await openSignedRelease(inRelease, [golden('archive.gpg')], at);

    expect(parseRelease(text)).toMatchObject({
      origin: 'Example',
      suite: 'stable',
      codename: 'clamp',
      components: ['main'],
      architectures: ['all', 'amd64'],
      hasByHash: true,
      signedAt: '2024-01-01T12:00:00.000Z',
      validUntil: '2024-01-08T12:00:00.000Z',
    });
    expect(parseRelease(text).files.get('main/binary-amd64/Packages.gz')?.sizeBytes).toBe(20);
  });

  it.each([
    ['an altered line', altered('Codename: clamp', 'Codename: cramp')],
    ['a line that was taken out', altered('Suite: stable\n', '')],
    ['a line before what is signed', altered('-----BEGIN PGP SIGNED', 'Codename: other\n-----BEGIN PGP SIGNED')],
    ['a line after the signature', altered('-----END PGP SIGNATURE-----\n', '-----END PGP SIGNATURE-----\nCodename: other\n')],
    ['an unsigned header', altered('Hash: SHA512', 'Hash: SHA512\nCodename: other')],
    ['a second message', new Uint8Array(Buffer.concat([inRelease, inRelease]))],
    ['no signature', new TextEncoder().encode('Codename: clamp\n')],
    ['nothing', new Uint8Array()],
  ])('is refused with %s', async (_, bytes) => {
    await expect(openSignedRelease(bytes, [golden('archive.gpg')], at)).rejects.toMatchObject({ code: 'unsigned' });
  });

  it('is refused without the key', async () => {
    await expect(openSignedRelease(inRelease, [], at)).rejects.toMatchObject({ code: 'unsigned' });
  });

  it('is refused before it was signed', async () => {
    await expect(openSignedRelease(inRelease, [golden('archive.gpg')], toInstant(Date.UTC(2023, 11, 1)))).rejects.toMatchObject({ code: 'unsigned' });
  });

  it('needs keyrings that can be read', async () => {
    await expect(openSignedRelease(inRelease, [new Uint8Array([1, 2, 3])], at)).rejects.toMatchObject({ code: 'malformed' });
  });
});
