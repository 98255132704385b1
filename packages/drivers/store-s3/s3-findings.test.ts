import { describe, expect, it } from 'vitest';
import { lockRefusal, type S3Finding, type S3Findings, storeRefusal } from './s3-findings.ts';

const finding = (state: S3Finding['state']): S3Finding => ({ state, detail: `it ${state}` });
const ALL: S3Findings = {
  createOnce: finding('holds'),
  swap: finding('holds'),
  readAfterWrite: finding('holds'),
  listing: finding('holds'),
  ranges: finding('holds'),
};

describe('the lock of a ledger', () => {
  it('may lie where everything was seen to hold', () => {
    expect(lockRefusal(ALL)).toBeUndefined();
  });

  it.each(['broken', 'unsupported', 'unclear'] as const)('may not lie where conditional writes are %s, and PostgreSQL is named instead', (state) => {
    for (const name of ['createOnce', 'swap', 'readAfterWrite'] as const)
      expect(lockRefusal({ ...ALL, [name]: finding(state) })).toMatch(new RegExp(`^it ${state}: not safe.*lock: \\{postgres`));
  });
});

describe('the archive', () => {
  it('may lie where there are no conditional writes', () => {
    expect(storeRefusal({ ...ALL, createOnce: finding('unsupported'), swap: finding('broken') })).toBeUndefined();
  });

  it.each(['readAfterWrite', 'listing', 'ranges'] as const)('may not lie where %s is broken', (name) => {
    expect(storeRefusal({ ...ALL, [name]: finding('broken') })).toMatch(/^it broken: an archive needs this/);
  });
});
