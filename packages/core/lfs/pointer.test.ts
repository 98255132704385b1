import { describe, expect, it } from 'vitest';
import { sha256 } from '../model/index.ts';
import { parsePointer } from './index.ts';

const OID = sha256('a large file');
const VERSION = 'version https://git-lfs.github.com/spec/v1';
const pointer = (...lines: readonly string[]) => Buffer.from(`${lines.join('\n')}\n`);

describe('a blob', () => {
  it.each([
    ['the form of the specification', pointer(VERSION, `oid sha256:${OID}`, 'size 12345')],
    ['the name from before version 1', pointer('version https://hawser.github.com/spec/v1', `oid sha256:${OID}`, 'size 12345')],
    ['extensions', pointer(VERSION, `ext-0-foo sha256:${OID}`, `ext-1-bar sha256:${OID}`, `oid sha256:${OID}`, 'size 12345')],
  ])('is a pointer: %s', (_, blob) => {
    expect(parsePointer(blob)).toEqual({ oid: OID, sizeBytes: 12345 });
  });

  it.each([
    ['another version', pointer('version https://files.example/spec/v1', `oid sha256:${OID}`, 'size 12345')],
    ['a scheme that differs', pointer('version http://git-lfs.github.com/spec/v1', `oid sha256:${OID}`, 'size 12345')],
    ['carriage returns', Buffer.from(`${VERSION}\r\noid sha256:${OID}\r\nsize 12345\r\n`)],
    ['no line feed at its end', Buffer.from(`${VERSION}\noid sha256:${OID}\nsize 12345`)],
    ['more behind it', pointer(VERSION, `oid sha256:${OID}`, 'size 12345', 'x')],
    ['another order', pointer(VERSION, 'size 12345', `oid sha256:${OID}`)],
    ['a short digest', pointer(VERSION, `oid sha256:${OID.slice(1)}`, 'size 12345')],
    ['capitals in its digest', pointer(VERSION, `oid sha256:${OID.toUpperCase()}`, 'size 12345')],
    ['a path for a digest', pointer(VERSION, `oid sha256:../../${'a'.repeat(58)}`, 'size 12345')],
    ['another algorithm', pointer(VERSION, `oid sha512:${OID}`, 'size 12345')],
    ['no bytes', pointer(VERSION, `oid sha256:${OID}`, 'size 0')],
    ['a size below zero', pointer(VERSION, `oid sha256:${OID}`, 'size -1')],
    ['a size that begins with zero', pointer(VERSION, `oid sha256:${OID}`, 'size 012345')],
    ['a size that no number holds', pointer(VERSION, `oid sha256:${OID}`, 'size 9999999999999999')],
    ['a size without an end', pointer(VERSION, `oid sha256:${OID}`, `size ${'1'.repeat(300)}`)],
    ['more than 1024 bytes', pointer(VERSION, ...Array.from({ length: 9 }, (_, at) => `ext-${at}-a ${'x'.repeat(150)}`), `oid sha256:${OID}`, 'size 12345')],
    ['bytes that are no text', Buffer.concat([Buffer.from(`${VERSION}\next-0-a `), Buffer.from([0xff]), pointer('', `oid sha256:${OID}`, 'size 1')])],
    ['nothing', Buffer.alloc(0)],
  ])('is none with %s', (_, blob) => {
    expect(parsePointer(blob)).toBeUndefined();
  });
});
