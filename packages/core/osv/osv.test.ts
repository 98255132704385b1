import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affectedIntervals, cvssOf, MAX_OSV_BYTES, type OsvEvent, parseOsv, severityOf } from './index.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const smallest = { id: 'GHSA-aaaa-bbbb-cccc', modified: '2024-01-02T03:04:05Z' };
const events = (...list: readonly (readonly [OsvEvent['type'], string])[]) => ({ type: 'SEMVER', events: list.map(([type, version]) => ({ type, version })) });
/** Whole numbers as versions. */
const compare = (a: string, b: string) => (/^\d+$/.test(a) && /^\d+$/.test(b) ? Number(a) - Number(b) : undefined);

describe('an advisory', () => {
  it('is read as far as we use it', () => {
    const affected = [
      {
        package: { ecosystem: 'npm', name: 'wick', purl: 'pkg:npm/wick' },
        versions: ['1.0.0'],
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.2.0' }], repo: 'ignored' }],
        database_specific: { source: 'https://database.example/wick.json' },
      },
      { ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }] },
    ];
    const read = parseOsv(
      bytesOf({
        ...smallest,
        summary: 'Burns',
        severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
        references: [
          { type: 'WEB', url: 'https://wick.example/' },
          { type: 'WEB', url: 'javascript:alert(1)' },
        ],
        affected,
        database_specific: { severity: 'MODERATE', cwe_ids: ['CWE-79'] },
      }),
    );

    expect(read).toEqual({
      ok: true,
      record: {
        ...smallest,
        summary: 'Burns',
        withdrawn: false,
        rating: 'MODERATE',
        vectors: ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'],
        weaknesses: ['CWE-79'],
        references: [{ type: 'WEB', url: 'https://wick.example/' }],
        affected: [
          {
            ecosystem: 'npm',
            name: 'wick',
            versions: ['1.0.0'],
            ranges: [events(['introduced', '0'], ['fixed', '1.2.0'])],
            source: 'https://database.example/wick.json',
          },
        ],
      },
    });
  });

  it('that was withdrawn says so', () => {
    expect(parseOsv(bytesOf({ ...smallest, withdrawn: '2024-02-02T00:00:00Z' }))).toMatchObject({ record: { withdrawn: true } });
  });

  it.each([
    ['no JSON', '{', 'not JSON'],
    ['nested without end', '['.repeat(1_000_000), 'not JSON'],
    ['a list', [], 'the file'],
    ['without an id', { modified: 'x' }, 'id'],
    ['with an id that is a path', { ...smallest, id: '../x' }, 'id'],
    ['of too many versions', { ...smallest, affected: [{ package: { ecosystem: 'npm', name: 'x' }, versions: Array(10_001).fill('1.0.0') }] }, 'versions'],
    ['of too many packages', { ...smallest, affected: Array(10_001).fill({}) }, 'affected'],
    ['of too many ranges', { ...smallest, affected: [{ ranges: Array(1001).fill({ type: 'SEMVER', events: [] }) }] }, 'ranges'],
    ['of too many events', { ...smallest, affected: [{ ranges: [{ type: 'SEMVER', events: Array(10_001).fill({}) }] }] }, 'events'],
    ['with a name that is too long', { ...smallest, affected: [{ package: { ecosystem: 'npm', name: 'x'.repeat(257) } }] }, 'name'],
    ['that is too large', ' '.repeat(MAX_OSV_BYTES + 1), 'at most'],
  ])('%s is refused', (_, value, why) => {
    expect(parseOsv(bytesOf(value))).toEqual({ ok: false, why: expect.stringContaining(why) });
  });

  it('leaves out what only informs and has another form', () => {
    const odd = { ...smallest, summary: 7, severity: 'high', references: [null, { type: 'WEB' }], database_specific: ['x'] };

    expect(parseOsv(bytesOf(odd))).toMatchObject({ ok: true, record: { summary: undefined, vectors: [], references: [], rating: undefined } });
  });

  it('that is anything at all is read or refused', () => {
    const member = fc.constantFrom(
      'id',
      'modified',
      'affected',
      'package',
      'ranges',
      'events',
      'introduced',
      'versions',
      '__proto__',
      'severity',
      'references',
    );
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(member, tie('node')),
      ),
    })).node;
    fc.assert(fc.property(fc.oneof(value, fc.json()), (anything) => typeof parseOsv(bytesOf(anything)).ok === 'boolean'));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !parseOsv(bytes).ok));
  });
});

describe('affected versions', () => {
  it.each([
    ['everything', events(['introduced', '0']), [{}]],
    ['until a fix', events(['introduced', '0'], ['fixed', '5']), [{ until: { version: '5', included: false } }]],
    ['up to the last one', events(['introduced', '3'], ['last_affected', '5']), [{ from: '3', until: { version: '5', included: true } }]],
    ['only one', events(['introduced', '3'], ['last_affected', '3']), [{ from: '3', until: { version: '3', included: true } }]],
    [
      'again after a fix, in any order',
      events(['fixed', '2'], ['introduced', '7'], ['introduced', '0']),
      [{ until: { version: '2', included: false } }, { from: '7' }],
    ],
    [
      'again at once',
      events(['introduced', '1'], ['fixed', '2'], ['introduced', '2'], ['fixed', '3']),
      [
        { from: '1', until: { version: '2', included: false } },
        { from: '2', until: { version: '3', included: false } },
      ],
    ],
    ['below a limit', events(['introduced', '1'], ['limit', '4'], ['limit', '9']), [{ from: '1', until: { version: '9', included: false } }]],
    ['nothing, beyond a limit', events(['introduced', '5'], ['limit', '4']), []],
    ['without a limit', events(['introduced', '1'], ['limit', '*']), [{ from: '1' }]],
  ])('are %s', (_, range, intervals) => {
    expect(affectedIntervals(range, compare)).toEqual(intervals);
  });

  it.each([
    ['a version that is none', events(['introduced', 'one'])],
    ['a fix of nothing', events(['fixed', '1'])],
    ['nothing', events()],
  ])("can't be told from %s", (_, range) => {
    expect(affectedIntervals(range, compare)).toBe(undefined);
  });

  it('are those of the evaluation that OSV describes', () => {
    const kind = fc
      .constantFrom('introduced', 'fixed', 'last_affected')
      .map((type): OsvEvent['type'] => (type === 'introduced' || type === 'fixed' ? type : 'last_affected'));
    // Two events at one version have no order in the specification.
    const list = fc.uniqueArray(fc.record({ type: kind, version: fc.nat(12).map(String) }), { maxLength: 6, selector: ({ version }) => version });
    fc.assert(
      fc.property(list, fc.integer({ min: 1, max: 13 }), (some, version) => {
        const found = affectedIntervals({ type: 'SEMVER', events: some }, compare);
        if (found === undefined) return;
        let affected = false;
        for (const event of some.toSorted((a, b) => Number(a.version) - Number(b.version))) {
          if (event.type === 'introduced' && version >= Number(event.version)) affected = true;
          if (event.type === 'fixed' && version >= Number(event.version)) affected = false;
          if (event.type === 'last_affected' && version > Number(event.version)) affected = false;
        }
        const isWithin = found.some(
          ({ from = '0', until }) =>
            version >= Number(from) && (until === undefined || version < Number(until.version) || (until.included && version === Number(until.version))),
        );
        expect(isWithin).toBe(affected);
      }),
    );
  });
});

describe('severity', () => {
  const rated = (rating: string | undefined, vectors: readonly string[] = [], id = 'X-1') => severityOf({ id, rating, vectors });

  it('is what the database says, else what the score comes to', () => {
    expect([rated('MODERATE'), rated('constructor'), rated(undefined), rated(undefined, [], 'MAL-2024-1')]).toEqual([
      'medium',
      undefined,
      undefined,
      'critical',
    ]);
    expect(rated(undefined, ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'])).toBe('critical');
    expect(rated(undefined, ['CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N'])).toBe('low');
  });

  // Scores of the examples that FIRST publishes for CVSS 3.1 (CVE-2013-1937, CVE-2013-0375), and of its calculator for 4.0.
  it.each([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
    ['CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4],
    ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3],
  ])('%s scores %d', (vector, score) => {
    expect(cvssOf({ vectors: ['nonsense', vector] })).toEqual({ score, vector });
  });

  it('of vectors that are anything at all is a score or none', () => {
    const parts = fc
      .array(fc.constantFrom('CVSS:3.1', 'CVSS:4.0', 'CVSS:2.0', 'AV:N', 'AC:L', 'C:H', 'x:y', '__proto__:1', ':', ''), { maxLength: 12 })
      .map((some) => some.join('/'));
    fc.assert(
      fc.property(fc.oneof(parts, fc.string()), (vector) => {
        const score = cvssOf({ vectors: [vector] })?.score;
        expect(score === undefined || (score >= 0 && score <= 10)).toBe(true);
      }),
    );
  });
});
