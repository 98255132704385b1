import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCheckpoint, formatNote, openCheckpoint, parseCheckpoint, parseNote, parseVerifierKey, verifierKey, verifyNote } from './index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
// RFC 8410 7: a private key is its seed behind a fixed prefix.
const privateKey = createPrivateKey({ key: Buffer.from(`302e020100300506032b657004220420${'07'.repeat(32)}`, 'hex'), format: 'der', type: 'pkcs8' });
const key = verifierKey('log.example', Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url'));
const signed = (text: string) => formatNote({ text, signatures: [{ ...key, signature: sign(null, bytes(text), privateKey) }] });

const anyCheckpoint = fc.record({
  origin: fc.constantFrom('log.example', 'a', 'log.example/x'),
  size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  extensions: fc.array(fc.constantFrom('extension', 'x y', '=')),
});

describe('a checkpoint', () => {
  it('survives a round trip', () => {
    fc.assert(fc.property(anyCheckpoint, (checkpoint) => void expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint)));
  });

  it.each([
    '',
    'log.example\n1\n',
    `\n1\n${'A'.repeat(43)}=\n`,
    `log.example\n01\n${'A'.repeat(43)}=\n`,
    `log.example\n-1\n${'A'.repeat(43)}=\n`,
    `log.example\n1e3\n${'A'.repeat(43)}=\n`,
    `log.example\n9007199254740993\n${'A'.repeat(43)}=\n`,
    `log.example\n1\n${'A'.repeat(43)}\n`,
    `log.example\n1\n${'A'.repeat(42)}B=\n`,
    `log.example\n1\n${'A'.repeat(40)}\n`,
    `log.example\n1\n${'A'.repeat(43)}=`,
    `log.example\n1\n${'A'.repeat(43)}=\n\n`,
  ])('is refused: %j', (text) => {
    expect(() => parseCheckpoint(text)).toThrow(expect.objectContaining({ code: 'checkpoint-malformed' }));
  });

  it('is opened with cosignatures on it, and only under its own origin', () => {
    const text = formatCheckpoint({ origin: 'log.example', size: 5, root: new Uint8Array(32), extensions: [] });
    // C2SP tlog-cosignature: type 4, eight bytes of time before the signature.
    const cosigned = formatNote({
      text,
      signatures: [...parseNote(signed(text)).signatures, { name: 'witness.example', keyId: '01020304', signature: new Uint8Array(72) }],
    });

    expect(openCheckpoint(cosigned, 'log.example', key)).toMatchObject({ size: 5 });
    expect(() => openCheckpoint(cosigned, 'other.example', key)).toThrow(expect.objectContaining({ code: 'checkpoint-malformed' }));
  });
});

describe('a note', () => {
  it('survives a round trip, whatever its text', () => {
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((line) => !/[\p{Cc}]/u.test(line) && line.isWellFormed())
      .map((line) => `${line}.\n`);
    fc.assert(
      fc.property(text, (one) => {
        const note = parseNote(signed(one));
        expect(note.text).toBe(one);
        expect(verifyNote(note, [key])).toHaveLength(1);
      }),
    );
  });

  it('is never verified after one bit of it was turned', () => {
    const whole = signed('log.example\n5\nhash\n');
    const before = whole.length - '\n'.length;
    fc.assert(
      fc.property(fc.nat({ max: before - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const bent = whole.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        expect(() => verifyNote(parseNote(bent), [key])).toThrow(expect.objectContaining({ name: 'TlogError' }));
      }),
    );
  });

  it('of arbitrary bytes is refused or read, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        try {
          parseNote(any);
        } catch (error) {
          expect(error).toMatchObject({ name: 'TlogError', code: 'note-malformed' });
        }
      }),
    );
  });
});

describe('a verifier key', () => {
  it('is refused unless every part of it is right', () => {
    const [name = '', id = '', data = ''] = key.text.split('+', 3);
    expect(parseVerifierKey(key.text)).toEqual(key);
    for (const text of ['', name, `${name}+${id}`, `${name}+00000000+${data}`, `x${key.text}`, `${key.text} `, `${name}+${id.toUpperCase()}+${data}`]) {
      expect(parseVerifierKey(text), text).toBeUndefined();
    }
    expect(() => verifierKey('a b', key.publicKey)).toThrow(RangeError);
    expect(() => verifierKey('a', new Uint8Array(31))).toThrow(RangeError);
  });
});
