import type { Attempt, BuildProposal, Proposed, RebuildSubject } from '@granary/contract/ecosystem';
import type { Comparison, Difference } from '@granary/core/compare';
import { type FailureClass, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { compileBuild } from './compile.ts';
import { propose } from './propose.ts';
import { listed, lockText, MANIFEST, OWN, type Small, subjectOf } from './test/small-crate.ts';

const LOCKED = {
  'Cargo.lock': lockText(['wick', '1.0.0', OWN], ['oil', '1.1.0'], ['elsewhere', '1.0.0', 'source = "git+https://forge.example/elsewhere#1"\n']),
};
const TREE = { 'Cargo.toml': `${MANIFEST}[dependencies]\noil = "1"\ntinder = "2"\n`, 'Cargo.lock': lockText(['wick', '1.0.0', OWN], ['oil', '1.0.0']) };
const LOOSE = { 'Cargo.toml': TREE['Cargo.toml'] };

function proposalOf(proposed: Proposed): BuildProposal {
  if (proposed.type !== 'build') throw new Error(`exhausted: ${proposed.failureClass}: ${proposed.detail}`);
  return proposed.proposal;
}
function comparisonOf(rung: Comparison['rung'], ...paths: readonly string[]): Comparison {
  const residue = paths.map((path): Difference => ({ path: `wick-1.0.0/${path}`, kind: 'content', detail: '' }));
  return { rung, residue, residueOmitted: 0, needed: [], findings: [], upstream: sha256('u'), rebuild: sha256('r'), ruleset: sha256('s') };
}
const looked: Attempt = {
  proposal: { method: 'source-files', requirements: [], before: toInstant(0), settings: {}, parameters: [], assists: [], notes: [] },
  outcome: { type: 'compared', comparison: comparisonOf('none', 'Cargo.toml') },
};
/** What is proposed while each attempt comes to `outcome`. */
async function tried(subject: RebuildSubject, outcome: Attempt['outcome']): Promise<readonly unknown[]> {
  const history: Attempt[] = [looked];
  for (;;) {
    const proposed = await propose(subject, history);
    if (proposed.type === 'exhausted') return history.slice(1).map(({ proposal }) => proposal.settings['lock']);
    history.push({ proposal: proposed.proposal, outcome });
  }
}
const first = async (small: Small) => proposalOf(await propose(subjectOf(small), [looked]));

describe('the first build', () => {
  it('has no lock where the published crate has none, and sees the index as it was a second before', async () => {
    const proposal = await first({ tree: TREE });

    expect(proposal).toMatchObject({
      requirements: ['oil 1 [default]', 'tinder 2 [default]'],
      before: '2024-05-06T07:08:09.000Z',
      settings: { lock: 'none', root: '', versionControl: 'git' },
      assists: [],
      parameters: [{ name: 'cargo', value: '1.57 to 1.83' }],
    });
  });

  it("has the commit's lock where both have one: what that names, and what it has no version for", async () => {
    const proposal = await first({ tree: TREE, published: LOCKED });

    expect(proposal).toMatchObject({ settings: { lock: 'tree' }, requirements: ['oil@1.0.0', 'tinder 2 [default]', 'oil@1.1.0?'] });
    expect(proposal.parameters).toContainEqual(expect.objectContaining({ name: 'index', from: 'Cargo.lock' }));
  });
});

describe('the next build', () => {
  const subject = subjectOf({ tree: TREE, published: LOCKED });

  it('has no lock, and then the published one, as long as nothing but the lock differs', async () => {
    expect(await tried(subject, { type: 'compared', comparison: comparisonOf('none', 'Cargo.lock') })).toEqual(['tree', 'none', 'published']);
    expect(await tried(subjectOf({ tree: LOOSE, published: LOCKED }), { type: 'compared', comparison: comparisonOf('none', 'Cargo.lock') })).toEqual([
      'none',
      'published',
    ]);
  });

  it('is tried where nothing could be resolved', async () => {
    const failed = (failureClass: FailureClass): Attempt['outcome'] => ({ type: 'failed', failureClass, log: '' });

    expect(await tried(subject, { type: 'unresolvable', why: 'unavailable', detail: '' })).toEqual(['tree', 'none', 'published']);
    expect(await tried(subject, failed('dependency-unavailable'))).toEqual(['tree', 'none', 'published']);
    for (const failureClass of ['toolchain-missing', 'build-failed', 'timeout'] as const) expect(await tried(subject, failed(failureClass))).toEqual(['tree']);
  });

  it('is not made where more differs, or nothing does', async () => {
    for (const comparison of [comparisonOf('none', 'Cargo.lock', 'src/lib.rs'), comparisonOf('none', 'sub/Cargo.lock'), comparisonOf('equivalent')])
      expect(await tried(subject, { type: 'compared', comparison })).toEqual(['tree']);
    expect(await tried(subjectOf({ tree: TREE }), { type: 'unresolvable', why: 'conflict', detail: '' })).toEqual(['none']);
  });

  it('says what it took from the published crate', async () => {
    const none: Attempt = { proposal: await first({ tree: LOOSE, published: LOCKED }), outcome: { type: 'unresolvable', why: 'unavailable', detail: '' } };
    const assisted = subjectOf({ tree: LOOSE, published: LOCKED });
    const proposal = proposalOf(await propose(assisted, [looked, none]));

    expect(proposal.assists).toEqual([{ path: 'Cargo.lock', sha256: sha256(LOCKED['Cargo.lock']), why: expect.any(String) }]);
    expect(proposal.requirements).toEqual(['oil@1.1.0', 'tinder 2 [default]']);
    expect(compileBuild(assisted, proposal).files).toContainEqual({ path: 'published.lock', text: LOCKED['Cargo.lock'] });
  });
});

describe('nothing is built', () => {
  const exhausted = async (small: Small) => await propose(subjectOf(small), [looked]);
  it.each([
    ['of a crate that nobody says when it was published', { without: 'time' }, 'dependency-unavailable'],
    ['of a commit that is larger than any', { without: 'commit' }, 'no-source'],
    ['of a folder without a manifest', { directory: 'sub' }, 'no-source'],
    ['of a manifest that can not be read', { tree: { 'Cargo.toml': '[' } }, 'no-source'],
    ['of a crate without one', { published: { 'Cargo.toml': 'x'.repeat(4 * 2 ** 20 + 1) } }, 'malformed-artifact'],
    [
      'with more crates than any lock names',
      { published: LOCKED, tree: { ...LOOSE, 'Cargo.lock': lockText(...Array.from({ length: 3001 }, (_, index) => [`a${index}`, '1.0.0'] as const)) } },
      'dependency-unavailable',
    ],
  ] as const)('%s', async (_, small, failureClass) => {
    expect(await exhausted(small)).toMatchObject({ type: 'exhausted', failureClass });
  });

  it('of bytes that are no archive', async () => {
    expect(await propose({ ...subjectOf(), published: new Uint8Array(9) }, [looked])).toMatchObject({ failureClass: 'malformed-artifact' });
  });
});

describe('a published lock', () => {
  it.each([['that is larger than any', { 'Cargo.lock': `${LOCKED['Cargo.lock']}#${' '.repeat(2 ** 20)}` }]])('%s is not put in place', async (_, published) => {
    expect(await tried(subjectOf({ tree: LOOSE, published }), { type: 'unresolvable', why: 'conflict', detail: '' })).toEqual(['none']);
  });

  it('names nothing where it can not be read', async () => {
    const broken = lockText(['oil', '1.0.0', listed('oil', '1.0.0').replace(/checksum.*/, '')]);

    expect((await first({ published: LOCKED, tree: { ...LOOSE, 'Cargo.lock': broken } })).requirements).toEqual([
      'oil 1 [default]',
      'tinder 2 [default]',
      'oil@1.1.0?',
    ]);
  });
});

it('is compiled to two phases, of which the second has no network, and values that are no program', async () => {
  const subject = subjectOf({ tree: { 'a $(b)/Cargo.toml': MANIFEST }, directory: 'a $(b)' });

  const { files, phases, outputDir } = compileBuild(subject, proposalOf(await propose(subject, [looked])));

  expect(phases.map(({ name, network, argv }) => [name, network, ...argv])).toEqual([
    ['fetch', 'mirror', '/bin/sh', '/work/build.sh', 'fetch'],
    ['build', 'none', '/bin/sh', '/work/build.sh', 'build'],
  ]);
  expect(phases[0]?.env).toMatchObject({
    DIRECTORY: 'a $(b)',
    NAME: 'wick',
    CRATE: 'wick-1.0.0.crate',
    COMMIT: '1'.repeat(40),
    OBJECT_FORMAT: 'sha1',
    LOCK: 'none',
  });
  expect(files.map(({ path }) => path)).toEqual(['build.sh', 'commit.b64']);
  expect(files[0]?.text).not.toContain('$(b)');
  expect(Buffer.from(files[1]?.text ?? '', 'base64').toString()).toBe('tree 2\n\nmessage\n');
  expect(outputDir).toBe('out');
});
