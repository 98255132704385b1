import { describe, expect, it } from 'vitest';
import { faultOfAnswer, S3Fault } from './s3-fault.ts';
import { onS3, toStoreError } from './to-store-error.ts';

const place = { endpoint: 'https://s3.example', bucket: 'archive' };
const told = (fault: S3Fault) => toStoreError('put a', place, fault);
const code = (name: string): string => `<Error><Code>${name}</Code></Error>`;

describe('what an operator reads', () => {
  it.each<[S3Fault, string, RegExp]>([
    [
      new S3Fault('transient', 'connect ECONNREFUSED'),
      'unreachable',
      /^put a: bucket archive at https:\/\/s3\.example: connect ECONNREFUSED: check that it runs/,
    ],
    [faultOfAnswer(403, code('SignatureDoesNotMatch')), 'read-only', /check access key and secret key/],
    [faultOfAnswer(403, code('RequestTimeTooSkewed')), 'read-only', /set the clock/],
    [faultOfAnswer(404, code('NoSuchBucket')), 'unreachable', /make the bucket/],
    [faultOfAnswer(301, code('PermanentRedirect')), 'unreachable', /region and endpoint/],
    [faultOfAnswer(307, ''), 'unreachable', /region and endpoint/],
    [faultOfAnswer(507, ''), 'disk-full', /raise its quota/],
    [faultOfAnswer(501, ''), 'unreachable', /granary doctor/],
  ])('of %s is its code and what to do', (fault, expected, said) => {
    expect(told(fault)).toMatchObject({ name: 'StoreError', code: expected, message: expect.stringMatching(said), cause: fault });
  });

  it('of a mistake of ours is that mistake', async () => {
    const mistake = new RangeError('ours');

    await expect(onS3('put a', { ...place, region: '', accessKey: '', secretKey: '' }, () => Promise.reject(mistake))).rejects.toBe(mistake);
  });
});
