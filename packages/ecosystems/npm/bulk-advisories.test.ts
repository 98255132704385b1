import type { Advisories } from '@granary/contract/ports';
import { type OsvRecord, parseOsv } from '@granary/core/osv';
import fc from 'fast-check';
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { affectedRange } from './affected-range.ts';
import { answerBulk } from './bulk-advisories.ts';
import { npmViews } from './views.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

interface Sample {
  readonly id?: string;
  readonly name?: string;
  readonly ranges?: readonly (readonly object[])[];
  readonly versions?: readonly string[];
  readonly more?: object;
}
function recordOf({ id = 'GHSA-aaaa-bbbb-cccc', name = 'wick', ranges = [], versions = [], more = {} }: Sample): OsvRecord {
  const affected = [{ package: { ecosystem: 'npm', name }, versions, ranges: ranges.map((events) => ({ type: 'SEMVER', events })) }];
  const read = parseOsv(bytesOf({ id, modified: '2024-01-01T00:00:00Z', affected, ...more }));
  if (!read.ok) throw new Error(read.why);
  return read.record;
}
function knowing(...records: readonly OsvRecord[]): Advisories {
  return {
    of: async (_, names) => ({
      type: 'known',
      byName: new Map(names.map((name) => [name, records.filter(({ affected }) => affected.some((one) => one.name === name))])),
    }),
  };
}
async function answered(asked: unknown, advisories: Advisories): Promise<Record<string, readonly Record<string, unknown>[]>> {
  const answer = await answerBulk(bytesOf(asked), advisories);
  if (answer.type === 'refused') throw new Error(answer.why);
  return JSON.parse(new TextDecoder().decode(answer.bytes));
}

describe('what is known of releases', () => {
  it('is written as npm, pnpm and yarn read it', async () => {
    const record = recordOf({
      ranges: [[{ introduced: '1.0.0' }, { fixed: '1.2.0' }]],
      more: {
        summary: 'Burns too fast',
        severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N' }],
        references: [
          { type: 'ADVISORY', url: 'https://other.example/CVE-2024-1' },
          { type: 'WEB', url: 'https://advisories.example/GHSA-aaaa-bbbb-cccc' },
        ],
        database_specific: { severity: 'MODERATE', cwe_ids: ['CWE-79'] },
      },
    });

    expect(await answered({ wick: ['1.1.0', '1.2.0'], oil: ['1.0.0'] }, knowing(record))).toEqual({
      wick: [
        {
          id: expect.any(Number),
          url: 'https://advisories.example/GHSA-aaaa-bbbb-cccc',
          title: 'Burns too fast',
          severity: 'moderate',
          vulnerable_versions: '>=1.0.0 <1.2.0',
          cwe: ['CWE-79'],
          cvss: { score: 6.1, vectorString: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N' },
        },
      ],
    });
  });

  it('is left out where no installed version is concerned', async () => {
    expect(await answered({ wick: ['1.2.0'] }, knowing(recordOf({ ranges: [[{ introduced: '0' }, { fixed: '1.2.0' }]] })))).toEqual({});
  });

  it('counts as high where nobody rated it, and as critical where it is malware', async () => {
    const found = await answered({ wick: ['1.0.0'] }, knowing(recordOf({ versions: ['1.0.0'] }), recordOf({ id: 'MAL-2024-1', versions: ['1.0.0'] })));

    expect(found['wick']?.map(({ severity, url }) => [severity, url])).toEqual([
      ['high', 'GHSA-aaaa-bbbb-cccc'],
      ['critical', 'MAL-2024-1'],
    ]);
  });

  it.each([
    [
      'its own',
      [
        ['WEB', 'https://a.example/x'],
        ['ADVISORY', 'https://a.example/GHSA-aaaa-bbbb-cccc'],
      ],
      undefined,
      'https://a.example/GHSA-aaaa-bbbb-cccc',
    ],
    ['that of the record', [['WEB', 'https://a.example/x']], 'https://b.example/GHSA-aaaa-bbbb-cccc.json', 'https://b.example/GHSA-aaaa-bbbb-cccc.json'],
    [
      'that of another advisory',
      [
        ['WEB', 'https://a.example/x'],
        ['ADVISORY', 'https://a.example/CVE-1#top'],
      ],
      undefined,
      'https://a.example/CVE-1#/GHSA-aaaa-bbbb-cccc',
    ],
    ['that of a page', [['WEB', 'https://a.example/x']], undefined, 'https://a.example/x#/GHSA-aaaa-bbbb-cccc'],
    ['none', [], undefined, 'GHSA-aaaa-bbbb-cccc'],
  ])('names the advisory in an address, which is %s', async (_, references, source, address) => {
    const affected = [{ package: { ecosystem: 'npm', name: 'wick' }, versions: ['1.0.0'], database_specific: { source } }];
    const record = recordOf({ more: { affected, references: references.map(([type, url]) => ({ type, url })) } });

    expect((await answered({ wick: ['1.0.0'] }, knowing(record)))['wick']).toMatchObject([{ url: address }]);
  });

  it('has a number that is the same every time, and another one for another package or advisory', async () => {
    const numbers = async (name: string, id: string) =>
      (await answered({ [name]: ['1.0.0'] }, knowing(recordOf({ id, name, versions: ['1.0.0'] }))))[name]?.[0]?.['id'];

    const [first, again, ofOther, other] = [
      await numbers('wick', 'A-1'),
      await numbers('wick', 'A-1'),
      await numbers('oil', 'A-1'),
      await numbers('wick', 'A-2'),
    ];

    expect(Number.isSafeInteger(first)).toBe(true);
    expect(again).toBe(first);
    expect(new Set([first, ofOther, other]).size).toBe(3);
  });

  it('is refused where nothing is known, and not called good', async () => {
    const advisories: Advisories = { of: async () => ({ type: 'unknown', status: 503, why: 'being read' }) };

    expect(await answerBulk(bytesOf({ wick: ['1.0.0'] }), advisories)).toEqual({ type: 'refused', status: 503, why: 'being read' });
  });

  it.each([
    ['no JSON', '{', 400],
    ['a list', [], 400],
    ['versions that are no list', { wick: '1.0.0' }, 400],
    ['too many versions', Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`wick${index}`, Array(200).fill('1.0.0')])), 413],
  ])('%s is refused', async (_, asked, status) => {
    expect(await answerBulk(bytesOf(asked), knowing())).toMatchObject({ type: 'refused', status });
  });

  it('is refused where comparing would keep everybody else waiting', async () => {
    const records = Array.from({ length: 101 }, (_, index) => recordOf({ id: `A-${index}`, versions: ['1.0.0'] }));
    const asked = (count: number) => bytesOf({ wick: Array.from({ length: count }, (_, index) => `1.0.${index}`) });

    expect(await answerBulk(asked(990), knowing(...records))).toMatchObject({ type: 'answered' });
    expect(await answerBulk(asked(1000), knowing(...records))).toMatchObject({
      type: 'refused',
      status: 413,
      why: expect.stringContaining('a part of the project'),
    });
  });

  it('asked in any way at all is answered or refused', async () => {
    const record = recordOf({ name: '__proto__', versions: ['1.0.0'] });
    const version = fc.oneof(fc.constantFrom('1.0.0', '01.2', '*', '>=1'), fc.string(), fc.integer());
    const asked = fc.oneof(
      fc.json(),
      fc.string(),
      fc.dictionary(fc.oneof(fc.constantFrom('__proto__', 'constructor', 'wick', '../x'), fc.string()), fc.array(version)).map((some) => JSON.stringify(some)),
    );
    await fc.assert(fc.asyncProperty(asked, async (text) => void (await answerBulk(bytesOf(text), knowing(record)))));
  });

  it('is asked by old clients in a form that is refused, with what to use instead', async () => {
    for (const path of ['-/npm/v1/security/audits', '-/npm/v1/security/audits/quick'])
      expect(npmViews.route(path)).toEqual({ type: 'question', name: 'audit', maxBodyBytes: expect.any(Number) });
    expect(await npmViews.answerQuestion?.('audit', bytesOf({}), { advisories: knowing() })).toMatchObject({
      status: 410,
      why: expect.stringContaining('npm 7'),
    });
  });
});

describe('affected versions as a range', () => {
  const rangeOf = (sample: Sample) => affectedRange(recordOf(sample).affected);

  it.each([
    ['all', { ranges: [[{ introduced: '0' }]] }, '*'],
    ['until a fix', { ranges: [[{ introduced: '0' }, { fixed: '1.2.0' }]] }, '<1.2.0'],
    ['up to the last', { ranges: [[{ introduced: '1.0.0' }, { last_affected: '1.2.0' }]] }, '>=1.0.0 <=1.2.0'],
    ['several', { ranges: [[{ introduced: '0' }, { fixed: '1.0.0' }, { introduced: '2.0.0' }, { fixed: '2.1.0' }]] }, '<1.0.0 || >=2.0.0 <2.1.0'],
    ['listed', { versions: ['1.0.0', 'v1.0.1', 'none'] }, '1.0.0 || 1.0.1'],
    ['listed beside a range', { ranges: [[{ introduced: '0' }, { fixed: '1.2.0' }]], versions: ['1.1.0', '3.0.0-rc.1'] }, '<1.2.0 || 3.0.0-rc.1'],
    ['unreadable', { ranges: [[{ introduced: 'one' }]] }, '*'],
    ['none', { ranges: [[{ introduced: '0' }, { last_affected: '0' }]] }, undefined],
    ['unsaid', {}, undefined],
  ])('%s', (_, sample, range) => {
    expect(rangeOf(sample)).toBe(range);
  });

  it('takes in prereleases before a fix, and none before what began', () => {
    const range = rangeOf({ ranges: [[{ introduced: '1.0.0' }, { fixed: '2.0.0' }]] }) ?? '';

    expect(['1.0.0-rc.1', '1.0.0', '2.0.0-rc.1', '2.0.0'].map((version) => semver.satisfies(version, range, { includePrerelease: true }))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('is always one that npm reads', () => {
    const version = fc.oneof(
      fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom('', '-rc.1', '+b')).map(([a, b, c, tail]) => `${a}.${b}.${c}${tail}`),
      fc.constantFrom('0', '*', 'v1.0.0', '1.x', '>=1', ' ', '1.0.0 || *'),
      fc.string(),
    );
    const event = fc.tuple(fc.constantFrom('introduced', 'fixed', 'last_affected', 'limit'), version).map(([type, at]) => ({ [type]: at }));
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 5 }), { maxLength: 3 }), fc.array(version, { maxLength: 5 }), (ranges, versions) => {
        const range = rangeOf({ ranges, versions });
        expect(range === undefined || semver.validRange(range, { includePrerelease: true, loose: true }) !== null).toBe(true);
      }),
    );
  });
});
