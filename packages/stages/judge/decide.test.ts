import type { BuildStep } from '@granary/contract/ecosystem';
import { type Rung, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';

const fact = {
  origin: 'o',
  index: 0,
  key: sha256('k'),
  entry: { granary: 1 as const, author: 'a', at: toInstant(0), kind: 'rebuilt' as const, subject: 's', inputs: [], body: {} },
};
const digest = sha256('definition');

function step(rung: Rung | 'none', residue: number, second?: string): BuildStep {
  const built = (bytes: string) => ({
    fact,
    body: { status: 'built' as const, sha256: sha256(bytes), sizeBytes: 1, fileName: 'x.whl', exitCode: 0, fetched: digest },
  });
  return {
    plan: { attempt: 1, result: { type: 'definition', definition: digest } },
    rebuilt: built('one'),
    ...(second === undefined ? {} : { again: built(second) }),
    compared: { fact, body: { rung, comparison: sha256(`${rung}${residue}`), definition: digest, residue } },
  };
}

describe('a verdict', () => {
  it('is bit-for-bit only on the first rung', () => {
    expect(decide({ tier: 'publisher-archive', steps: [step('identical', 0)] }).verdict).toBe('reproduced');
    expect(decide({ tier: 'publisher-archive', steps: [step('equivalent', 0)] }).verdict).toBe('reproduced-normalized');
    expect(decide({ tier: 'publisher-archive', steps: [step('assisted', 0)] }).verdict).toBe('reproduced-assisted');
  });

  it('rests on the best attempt', () => {
    const decision = decide({ tier: 'publisher-archive', steps: [step('none', 4), step('none', 1), step('none', 9)], residueCause: 'build-metadata' });

    expect(decision).toMatchObject({ verdict: 'not-reproduced', cause: 'build-metadata', comparison: sha256('none1'), attempts: 3 });
  });

  it('rests on what was built before what was only looked at, however little that leaves unsaid', () => {
    const { plan, compared } = step('none', 3);
    const looked: BuildStep = { plan, ...(compared === undefined ? {} : { compared }) };

    expect(decide({ tier: 'commit-tagged', steps: [looked, step('none', 5)] }).comparison).toBe(sha256('none5'));
    expect(decide({ tier: 'commit-tagged', steps: [looked] }).comparison).toBe(sha256('none3'));
    expect(decide({ tier: 'commit-tagged', steps: [{ ...looked, ...step('source-subset', 0) }, step('none', 1)] }).rung).toBe('source-subset');
  });

  it('is that the build failed where builds were tried and none came to anything: what only a build makes is in no commit', () => {
    const { plan, compared } = step('none', 3);
    const looked: BuildStep = { plan, ...(compared === undefined ? {} : { compared }) };
    const failed: BuildStep = { plan, rebuilt: { fact, body: { status: 'failed', failureClass: 'timeout', detail: '', fetched: digest } } };
    const unresolvable: BuildStep = { plan: { attempt: 2, result: { type: 'unresolvable', why: 'unavailable', detail: '' } } };

    expect(decide({ tier: 'commit-tagged', steps: [looked, failed] })).toMatchObject({ verdict: 'failed-to-build', failureClass: 'timeout' });
    expect(decide({ tier: 'commit-tagged', steps: [looked, unresolvable] })).toMatchObject({
      verdict: 'failed-to-build',
      failureClass: 'dependency-unavailable',
    });
    expect(decide({ tier: 'commit-tagged', steps: [looked, failed, step('none', 5)] }).verdict).toBe('not-reproduced');
    const byOtherTools = { requirements: [], before: toInstant(0), settings: {}, parameters: [], assists: [], notes: [], retry: true } as const;
    const retried = { ...failed, plan: { ...failed.plan, proposal: byOtherTools } };
    expect(decide({ tier: 'commit-tagged', steps: [looked, step('none', 3), retried] }).verdict).toBe('not-reproduced');
    expect(decide({ tier: 'commit-tagged', steps: [looked, failed, retried] }).verdict).toBe('failed-to-build');
    const unobtainable = { plan: { ...unresolvable.plan, proposal: byOtherTools } };
    expect(decide({ tier: 'commit-tagged', steps: [looked, failed, unobtainable] }).failureClass).toBe('timeout');
    expect(decide({ tier: 'commit-tagged', steps: [looked, failed, step('none', 3)] }).verdict).toBe('failed-to-build');
    expect(decide({ tier: 'commit-tagged', steps: [looked, step('none', 3)] }).verdict).toBe('not-reproduced');
    expect(decide({ tier: 'commit-tagged', steps: [looked], residueCause: 'extra-upstream-files' }).verdict).toBe('not-reproduced');
    expect(decide({ tier: 'commit-tagged', steps: [{ ...looked, ...step('source-subset', 0) }, failed] }).rung).toBe('source-subset');
  });

  it('blames the build when two of ours differ', () => {
    expect(decide({ tier: 'publisher-archive', steps: [step('none', 1, 'two')], residueCause: 'content-unexplained' }).cause).toBe('nondeterministic');
    expect(decide({ tier: 'publisher-archive', steps: [step('none', 1, 'one')], residueCause: 'content-unexplained' }).cause).toBe('content-unexplained');
  });

  it('stands on the source of the best attempt, and says what is against it', () => {
    const commit: BuildStep = {
      ...step('none', 3),
      plan: { attempt: 1, source: { id: '1', tier: 'commit-tagged' }, result: { type: 'definition', definition: digest } },
    };
    const archive: BuildStep = { ...step('identical', 0), plan: { ...commit.plan, source: { id: '2', tier: 'publisher-archive' } } };

    expect(decide({ tier: 'commit-tagged', steps: [archive, commit], findings: ['commit-lacks-files'] })).toMatchObject({
      ...{ verdict: 'reproduced', tier: 'publisher-archive', findings: ['commit-lacks-files'] },
    });
    const same: BuildStep = { ...step('identical', 0), plan: commit.plan };
    expect(decide({ tier: 'commit-tagged', steps: [archive, same] })).toMatchObject({ verdict: 'reproduced', tier: 'commit-tagged' });
    expect(decide({ tier: 'publisher-archive', steps: [commit], residueCause: 'extra-upstream-files' })).toMatchObject({
      verdict: 'not-reproduced',
      tier: 'commit-tagged',
    });
    expect(decide({ steps: [], isLookedFor: true, findings: [] })).toEqual({ verdict: 'source-not-found', failureClass: 'commit-not-found', attempts: 0 });
  });

  it('says why there is nothing to compare', () => {
    expect(decide({ ineligible: 'native-code', steps: [] })).toMatchObject({ verdict: 'unsupported', failureClass: 'native-code' });
    expect(decide({ steps: [] })).toMatchObject({ verdict: 'source-not-found', failureClass: 'no-source' });
    const unresolvable: BuildStep = { plan: { attempt: 1, result: { type: 'unresolvable', why: 'conflict', detail: '' } } };
    expect(decide({ tier: 'publisher-archive', steps: [unresolvable] })).toMatchObject({ verdict: 'failed-to-build', failureClass: 'dependency-conflict' });
  });
});
