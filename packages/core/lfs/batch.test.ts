import { describe, expect, it } from 'vitest';
import { sha256 } from '../model/index.ts';
import { encodeBatchAnswer, encodeBatchRequest, parseBatchAnswer, parseBatchRequest } from './index.ts';

const OID = sha256('a large file');
const FILE = { oid: OID, sizeBytes: 12 };
const HREF = 'https://files.example/x?sig=1';
const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('what a client asks', () => {
  it('is read as it is written', () => {
    expect(parseBatchRequest(encodeBatchRequest([FILE]))).toEqual({ operation: 'download', files: [FILE] });
    expect(JSON.parse(Buffer.from(encodeBatchRequest([FILE])).toString())).toMatchObject({ operation: 'download', transfers: ['basic'] });
  });

  it.each([
    ['no JSON', '{', 422],
    ['nothing', '', 422],
    ['a list', '[]', 422],
    ['no objects', { operation: 'download' }, 422],
    ['another operation', { operation: 'verify', objects: [] }, 422],
    ['a name that is no digest', { operation: 'download', objects: [{ oid: '../../etc/passwd', size: 1 }] }, 422],
    ['a size below zero', { operation: 'download', objects: [{ oid: OID, size: -1 }] }, 422],
    ['a size that is none', { operation: 'download', objects: [{ oid: OID, size: 1.5 }] }, 422],
    ['lists in lists', `{"operation":"download","objects":[],"x":${deep(100_000)}}`, 422],
    ['another algorithm', { operation: 'download', objects: [], hash_algo: 'sha512' }, 409],
    ['1001 objects', { operation: 'download', objects: Array.from({ length: 1001 }, () => ({ oid: OID, size: 1 })) }, 413],
  ])('is refused where it is %s', (_, request, status) => {
    expect(parseBatchRequest(bytesOf(request))).toMatchObject({ operation: 'refused', status });
  });

  it('may be an upload, whose objects nobody reads', () => {
    expect(parseBatchRequest(bytesOf({ operation: 'upload', objects: [{ oid: OID, size: 1 }] }))).toEqual({ operation: 'upload' });
  });
});

describe('what a server answers', () => {
  const answered = (object: unknown) => parseBatchAnswer(bytesOf({ objects: [object] }))?.get(OID);
  const here = (header: unknown) => answered({ oid: OID, actions: { download: { href: HREF, header } } });

  it('says where files are, with headers of which some are nobody else’s', () => {
    expect(here({ Authorization: 'Basic eA==', 'X-Date': 'now', Host: 'inside.example', 'Content-Length': '5', Range: 'bytes=0-1', Cookie: 'a=b' })).toEqual({
      type: 'here',
      href: HREF,
      headers: { authorization: 'Basic eA==', 'x-date': 'now' },
    });
    expect(here(null)).toEqual({ type: 'here', href: HREF, headers: {} });
  });

  it.each([
    ['a line feed in a value', { Authorization: 'a\r\nHost: x' }],
    ['a colon in a name', { 'Host:x': 'a' }],
    ['a value that is no text', { a: 1 }],
    ['an empty name', { '': 'a' }],
    ['21 headers', Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`x-${at}`, 'a']))],
    ['a value of 9 KB', { a: 'a'.repeat(9000) }],
    ['a list', ['a']],
    ['members of every object', JSON.parse('{"__proto__":"a"}')],
  ])('is refused with headers that no request has: %s', (_, header) => {
    expect(here(header)).toEqual({ type: 'refused' });
  });

  it('says that files are gone, refused, or nothing of them', () => {
    expect(answered({ oid: OID, error: { code: 404, message: 'x' } })).toEqual({ type: 'absent' });
    expect(answered({ oid: OID, error: { code: 410 } })).toEqual({ type: 'absent' });
    expect(answered({ oid: OID, error: { code: 403 } })).toEqual({ type: 'refused' });
    expect(answered({ oid: OID })).toEqual({ type: 'absent' });
    expect(answered({ oid: OID, actions: { download: { href: `https://files.example/${'a'.repeat(9000)}` } } })).toBeUndefined();
    expect(answered({ size: 1 })).toBeUndefined();
  });

  it('of several answers to one question the first holds', () => {
    const objects = [HREF, 'https://other.example/'].map((href) => ({ oid: OID, actions: { download: { href } } }));

    expect(parseBatchAnswer(bytesOf({ objects }))?.get(OID)).toMatchObject({ href: HREF });
  });

  it.each([
    ['no JSON', '<html>'],
    ['a message', { message: 'no' }],
    ['another transfer', { transfer: 'tus', objects: [] }],
    ['another algorithm', { hash_algo: 'sha1', objects: [] }],
    ['10,000 objects', { objects: Array.from({ length: 10_000 }, () => ({ oid: OID })) }],
    ['lists in lists', deep(100_000)],
  ])('is none where it is %s', (_, answer) => {
    expect(parseBatchAnswer(bytesOf(answer))).toBeUndefined();
  });

  it('is read where it is ours', () => {
    const other = { oid: sha256('other'), sizeBytes: 3 };
    const answer = parseBatchAnswer(
      encodeBatchAnswer([
        { ...FILE, answer: { href: HREF, authorization: 'Bearer x' } },
        { ...other, answer: { code: 404, message: 'not held' } },
      ]),
    );

    expect(answer?.get(OID)).toEqual({ type: 'here', href: HREF, headers: { authorization: 'Bearer x' } });
    expect(answer?.get(other.oid)).toEqual({ type: 'absent' });
  });
});
