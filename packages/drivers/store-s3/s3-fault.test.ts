import { describe, expect, it } from 'vitest';
import { faultOf, faultOfAnswer, S3Fault } from './s3-fault.ts';

const answer = (code: string): string => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>said so</Message></Error>`;

describe('an answer that is no success', () => {
  it.each<[number, string, string]>([
    [404, answer('NoSuchKey'), 'absent'],
    [404, '', 'absent'],
    [404, answer('NoSuchUpload'), 'absent'],
    [404, answer('NoSuchBucket'), 'refused'],
    [412, answer('PreconditionFailed'), 'precondition'],
    [412, '', 'precondition'],
    [409, answer('ConditionalRequestConflict'), 'transient'],
    [409, answer('BucketNotEmpty'), 'refused'],
    [400, answer('RequestTimeout'), 'transient'],
    [400, answer('XAmzContentSHA256Mismatch'), 'transient'],
    [400, answer('InvalidArgument'), 'refused'],
    [429, '', 'transient'],
    [500, answer('InternalError'), 'transient'],
    [503, answer('SlowDown'), 'transient'],
    [502, '<html>a proxy', 'transient'],
    [501, answer('NotImplemented'), 'unsupported'],
    [403, answer('SignatureDoesNotMatch'), 'denied'],
    [403, answer('QuotaExceeded'), 'full'],
    [507, '', 'full'],
    [301, answer('PermanentRedirect'), 'refused'],
  ])('%i %s is %s', (status, body, kind) => {
    expect(faultOfAnswer(status, body).kind).toBe(kind);
  });

  it('says status, code and message, and no more of what may be anything', () => {
    expect(faultOfAnswer(503, answer('SlowDown'))).toMatchObject({ code: 'SlowDown', message: 'HTTP 503 SlowDown said so' });
    expect(faultOfAnswer(500, `<Code>${'x'.repeat(1000)}</Code><Message>${'y'.repeat(1000)}`).message.length).toBeLessThan(400);
  });
});

describe('what is thrown on the way', () => {
  it('may pass, and keeps its cause', () => {
    const cause = Object.assign(new Error('ECONNRESET'), { code: 'ECONNRESET' });

    expect(faultOf(cause)).toMatchObject({ kind: 'transient', message: 'ECONNRESET', cause });
    expect(faultOf('text')).toMatchObject({ kind: 'transient', message: 'text' });
  });

  it('stays what it is when it is a fault', () => {
    const fault = new S3Fault('denied', 'no');

    expect(faultOf(fault)).toBe(fault);
  });
});
