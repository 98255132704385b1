import { describe, expect, it } from 'vitest';
import { sha256 } from '../model/index.ts';
import {
  EQUIVALENCE_TYPE,
  encodeStatement,
  type Judged,
  PROVENANCE_TYPE,
  parseStatement,
  payloadDigest,
  readEquivalence,
  readSummary,
  SUMMARY_TYPE,
  statementsOf,
} from './index.ts';
import { judgedWheel, published, rebuilt } from './test/judged-wheel.ts';

const ORIGIN = 'mirror.example';
const types = (judged: Judged) => statementsOf(judged, ORIGIN).map(({ predicateType }) => predicateType);
const predicate = (judged: Judged, type: string) => statementsOf(judged, ORIGIN).find(({ predicateType }) => predicateType === type)?.predicate;

describe('the statements of a verdict', () => {
  it('are provenance of the rebuilt file, and equivalence and summary of the published one', () => {
    const statements = statementsOf(judgedWheel, ORIGIN);

    expect(statements.map(({ predicateType, subject }) => [predicateType, subject.sha256])).toEqual([
      [PROVENANCE_TYPE, rebuilt.subject.sha256],
      [EQUIVALENCE_TYPE, published],
      [SUMMARY_TYPE, published],
    ]);
  });

  it('are the same bytes each time, and survive a round trip', () => {
    const [provenance] = statementsOf(judgedWheel, ORIGIN);
    const [again] = statementsOf(structuredClone(judgedWheel), ORIGIN);
    if (provenance === undefined || again === undefined) throw new Error('no provenance');

    expect(payloadDigest(again)).toBe(payloadDigest(provenance));
    expect(parseStatement(encodeStatement(provenance))).toEqual(provenance);
  });

  it('exist for a failure too, with its class, and no provenance', () => {
    const { rebuilt: _, compared: __, ...rest } = judgedWheel;
    const failed: Judged = { ...rest, verdict: 'failed-to-build', failureClass: 'build-failed', policy: { ...judgedWheel.policy, met: false } };

    expect(types(failed)).toEqual([EQUIVALENCE_TYPE, SUMMARY_TYPE]);
    expect(predicate(failed, EQUIVALENCE_TYPE)).toEqual({
      verdict: 'failed-to-build',
      verdictKey: failed.verdictKey,
      sourceTier: 'publisher-archive',
      failureClass: 'build-failed',
    });
  });
});

describe('provenance', () => {
  it('names every fetched byte once, in an order of its own, with definition and root filesystem', () => {
    expect(predicate(judgedWheel, PROVENANCE_TYPE)).toMatchObject({
      buildDefinition: {
        externalParameters: { artifact: judgedWheel.subject.name, definition: { sha256: rebuilt.definition } },
        internalParameters: { parameters: { compressor: 'deflate-6' } },
        resolvedDependencies: [
          { name: 'definition', digest: { sha256: rebuilt.definition } },
          { name: 'rootfs', digest: { sha256: rebuilt.rootfs } },
          { uri: 'https://mirror.example/pypi/simple/setuptools/', digest: { sha256: sha256('index') } },
          { uri: 'pkg:pypi/wheel@0.42.0?file_name=wheel.whl', digest: { sha256: sha256('wheel') } },
        ],
      },
      runDetails: { builder: { id: 'https://mirror.example' } },
    });
  });

  it('does not depend on the order in which things were fetched', () => {
    const reversed: Judged = { ...judgedWheel, rebuilt: { ...rebuilt, fetched: [...rebuilt.fetched].reverse() } };

    expect(predicate(reversed, PROVENANCE_TYPE)).toEqual(predicate(judgedWheel, PROVENANCE_TYPE));
  });
});

describe('an equivalence statement', () => {
  it('says rung, normalizers, rules, residue and tier', () => {
    const statement = statementsOf(judgedWheel, ORIGIN)[1];
    if (statement === undefined) throw new Error('no statement');

    expect(readEquivalence(statement)).toEqual({ verdict: 'reproduced-normalized', rung: 'equivalent', sourceTier: 'publisher-archive', residue: 0 });
    expect(statement.predicate).toMatchObject({
      normalizers: [{ name: 'zip-times', version: 1 }],
      ruleset: { sha256: sha256('ruleset') },
      normalized: { sha256: sha256('normalized') },
      parameters: { compressor: 'deflate-6' },
    });
  });

  it('counts the differences that were left out of the residue', () => {
    const { comparison, blob } = judgedWheel.compared ?? {};
    if (comparison === undefined || blob === undefined) throw new Error('no comparison');
    const none: Judged = {
      ...judgedWheel,
      verdict: 'not-reproduced',
      cause: 'content-unexplained',
      compared: { blob, comparison: { ...comparison, rung: 'none', residue: [{ path: 'a', kind: 'content' }], residueOmitted: 4 } },
    };

    expect(predicate(none, EQUIVALENCE_TYPE)).toMatchObject({ rung: 'none', residue: 5, cause: 'content-unexplained' });
  });
});

describe('a verification summary', () => {
  it('passes with levels of our own, and rests on the other statements', () => {
    const [provenance, equivalence, summary] = statementsOf(judgedWheel, ORIGIN);
    if (provenance === undefined || equivalence === undefined || summary === undefined) throw new Error('a statement is missing');

    expect(readSummary(summary)).toEqual({
      result: 'PASSED',
      levels: ['GRANARY_REPRODUCED_NORMALIZED', 'GRANARY_SOURCE_PUBLISHER_ARCHIVE'],
      policyUri: 'https://mirror.example/policy/verified',
    });
    expect(summary.predicate).toMatchObject({
      resourceUri: judgedWheel.subject.name,
      inputAttestations: [{ digest: { sha256: payloadDigest(provenance) } }, { digest: { sha256: payloadDigest(equivalence) } }],
    });
    expect(JSON.stringify(summary.predicate)).not.toMatch(/SLSA_|timeVerified/);
  });

  it('fails with no level but FAILED when the policy is not met', () => {
    expect(predicate({ ...judgedWheel, policy: { ...judgedWheel.policy, met: false } }, SUMMARY_TYPE)).toMatchObject({
      verificationResult: 'FAILED',
      verifiedLevels: ['FAILED'],
    });
  });
});

describe('a statement', () => {
  it.each([
    ['that is not canonical', '{"_type": "https://in-toto.io/Statement/v1"}'],
    ['of another version', '{"_type":"https://in-toto.io/Statement/v0.1"}'],
    [
      'about two files',
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        predicate: {},
        predicateType: 'x',
        subject: [1, 2].map(() => ({ digest: { sha256: published }, name: 'x' })),
      }),
    ],
    ['without a digest', '{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"x","subject":[{"digest":{},"name":"x"}]}'],
  ])('%s is refused', (_, text) => {
    expect(() => parseStatement(Buffer.from(text))).toThrow(/^statement: /);
  });
});
