import { describe, expect, it } from 'vitest';
import { sha256 } from '../model/index.ts';
import {
  formatReaderList,
  formatReaderToken,
  isTokenOf,
  MAX_READERS,
  parseReaderId,
  parseReaderList,
  parseReaderToken,
  tokenOfAuthorization,
} from './index.ts';

const id = readerId('0123456789abcdef');
const token = formatReaderToken(id, new Uint8Array(32).fill(7));

describe('a token', () => {
  it('names its reader, and is known by the digest of all of it', () => {
    expect(token).toMatch(/^granary_0123456789abcdef_(07){32}$/);
    expect(parseReaderToken(token)).toEqual({ id, digest: sha256(token) });
  });

  it.each([[''], ['granary_0123456789abcdef_'], [`${token}0`], [token.toUpperCase()], [`${token}\n`], [` ${token}`]])('is nothing else: %j', (text) => {
    expect(parseReaderToken(text)).toBeUndefined();
  });

  it('is not made of too little chance', () => {
    expect(() => formatReaderToken(id, new Uint8Array(31))).toThrow(RangeError);
  });

  it('counts for the digest that is kept, and for no other', () => {
    const shown = { id, digest: sha256(token) };

    expect([isTokenOf(shown, sha256(token)), isTokenOf(shown, sha256('another'))]).toEqual([true, false]);
  });
});

describe('an Authorization header', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it.each([
    ['Bearer', `Bearer ${token}`],
    ['Bearer in lower case, with spaces', `bearer   ${token}  `],
    ['Basic, whatever the user is called', basic(`anybody at all:${token}`)],
    ['Basic without a user', basic(`:${token}`)],
    ['bare, as cargo sends it', token],
  ])('is understood: %s', (_how, header) => {
    expect(tokenOfAuthorization(header)).toEqual({ id, digest: sha256(token) });
  });

  it.each([
    ['nothing', ''],
    ['another scheme', `Digest ${token}`],
    ['a user name that is the token', basic(`${token}:`)],
    ['no base64', `Basic ${'%'.repeat(40)}`],
    ['two credentials', `Bearer ${token} ${token}`],
    ['more than is ever sent', basic(`${'u'.repeat(2000)}:${token}`)],
    ['many spaces', `Bearer${' '.repeat(900)}x`],
  ])('is no token: %s', (_what, header) => {
    expect(tokenOfAuthorization(header)).toBeUndefined();
  });
});

describe('a list of readers', () => {
  const list = { origin: 'ledger.example', version: 7, readers: new Map([[id, sha256(token)]]) };

  it('is a text that says the same again', () => {
    expect(parseReaderList(formatReaderList(list))).toEqual(list);
    expect(parseReaderList(formatReaderList({ ...list, readers: new Map() }))).toEqual({ ...list, readers: new Map() });
    expect(formatReaderList(list)).not.toContain(token);
  });

  it.each([
    ['a checkpoint', 'ledger.example\n7\nAAAA\n'],
    ['a line too many', `${formatReaderList(list)}\n`],
    ['a reader twice', `${formatReaderList(list)}${id} ${sha256(token)}\n`],
    ['something else on a line', formatReaderList(list).replace(id, `${id} x`)],
    ['a version that is no number', formatReaderList(list).replace('\n7\n', '\n-7\n')],
  ])('is nothing else: %s', (_what, text) => {
    expect(parseReaderList(text)).toBeUndefined();
  });

  it('has an end', () => {
    const readers = Array.from({ length: MAX_READERS + 1 }, (_, number) => [readerId(number.toString(16).padStart(16, '0')), sha256('')] as const);
    const lines = readers.map(([reader, digest]) => `${reader} ${digest}`).join('\n');

    expect(() => formatReaderList({ ...list, readers: new Map(readers) })).toThrow(RangeError);
    expect(parseReaderList(`granary readers 1\nledger.example\n7\n${lines}\n`)).toBeUndefined();
    expect(parseReaderList(formatReaderList({ ...list, readers: new Map(readers.slice(1)) }))?.readers.size).toBe(MAX_READERS);
  });
});

function readerId(text: string): NonNullable<ReturnType<typeof parseReaderId>> {
  const parsed = parseReaderId(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}
