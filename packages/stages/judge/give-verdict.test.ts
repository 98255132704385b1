import { comparedInputs, encodePlan, type PlanRecord, type Rebuilding, type WrittenEntry, writtenInput } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { type Comparison, type Difference, encodeComparison } from '@granary/core/compare';
import { encodeEntry, type Fact, factBody, formatPurl, type Sha256, sha256, toInstant, VerdictBody } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { giveVerdict } from './give-verdict.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.tgz' });
const REPOSITORY = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'box' });
const COMMIT = '1'.repeat(40);
const [BYTES, TREE] = [sha256('box'), sha256('tree')];
const ADDED: Difference = { path: 'dist/index.js', kind: 'only-upstream', cause: 'extra-upstream-files' };
const CHANGED: Difference = { path: 'index.js', kind: 'content', cause: 'content-unexplained' };
const WRITTEN: Difference = { path: 'package.json', kind: 'content', cause: 'build-metadata' };

describe('what a package has and its commit does not', () => {
  it('is a finding where nothing was built', async () => {
    expect(await verdictOn([ADDED])).toMatchObject({ verdict: 'not-reproduced', cause: 'extra-upstream-files', findings: ['commit-lacks-files'] });
  });

  it('is none where a build failed that may have made it', async () => {
    expect(await verdictOn([ADDED, WRITTEN], { failed: 'build-failed' })).toMatchObject({ verdict: 'failed-to-build', failureClass: 'build-failed' });
    expect(await verdictOn([ADDED, WRITTEN], { failed: 'build-failed' })).not.toHaveProperty('findings');
  });

  it('is one all the same where a file of the commit has other bytes: a failing build excuses nothing', async () => {
    expect(await verdictOn([ADDED, CHANGED], { failed: 'build-failed' })).toMatchObject({ verdict: 'failed-to-build', findings: ['commit-lacks-files'] });
  });

  it('is none where the commit gives more than the package has', async () => {
    expect(await verdictOn([{ path: 'test.js', kind: 'only-rebuild', cause: 'missing-upstream-files' }])).toMatchObject({ cause: 'missing-upstream-files' });
    expect(await verdictOn([{ path: 'test.js', kind: 'only-rebuild', cause: 'missing-upstream-files' }])).not.toHaveProperty('findings');
  });

  it('is none where every packer writes it', async () => {
    expect(await verdictOn([WRITTEN])).not.toHaveProperty('findings');
  });
});

it('a verdict is of the commit that was found last where files decide, whatever another one has', async () => {
  expect(await verdictOn([CHANGED], { identicalIn: '2'.repeat(40) })).toMatchObject({ verdict: 'reproduced' });
  expect(await verdictOn([CHANGED], { identicalIn: '2'.repeat(40), filesDecide: true })).toMatchObject({ verdict: 'not-reproduced' });
});

describe('what an operator wrote down', () => {
  const WORD = sha256('what is written');

  it('leaves what was tried without it at the commit that it leads to, and at no other', async () => {
    expect(await verdictOn([], { identicalIn: COMMIT, written: WORD })).toMatchObject({ verdict: 'reproduced' });
    expect(await verdictOn([CHANGED], { identicalIn: '2'.repeat(40), written: WORD })).toMatchObject({ verdict: 'not-reproduced' });
  });

  it('counts for nothing once it is written no more', async () => {
    expect(await verdictOn([CHANGED], { identicalIn: COMMIT, triedBy: WORD })).toMatchObject({ verdict: 'not-reproduced' });
  });

  it('is waited for where it names a repository that is not mirrored', async () => {
    const definition = { file: 'tiny/box.yaml', fileSha256: WORD, repository: REPOSITORY, environment: {}, requirements: [] };

    expect(await verdictOn([], { stated: { definition, sha256: WORD, file: Buffer.from('') } })).toMatchObject({
      verdict: 'unsupported',
      failureClass: 'repository-not-mirrored',
    });
  });
});

interface Before {
  readonly failed?: 'build-failed';
  /** By which the commit was located. */
  readonly written?: Sha256;
  /** By which it was looked at elsewhere. */
  readonly triedBy?: Sha256;
  /** Of which nothing was located yet, though the package names a repository that is held. */
  readonly stated?: WrittenEntry;
  /** Another commit, which was found and looked at earlier. */
  readonly identicalIn?: string;
  readonly filesDecide?: true;
}
/** Of a release whose commit was located and looked at, and of which a build failed so, where one was tried. */
async function verdictOn(residue: readonly Difference[], { failed, identicalIn, filesDecide, written, triedBy, stated }: Before = {}) {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const add = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const put = async (bytes: Uint8Array) => (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
  let attempts = 0;
  const plan = async (result: PlanRecord['result'], id = COMMIT, by?: Sha256) => {
    attempts += 1;
    const proposal = { requirements: [], before: toInstant(0), settings: {}, parameters: [], assists: [], notes: [] };
    const manifest = await put(
      encodePlan({ attempt: attempts, source: { id, tier: 'commit-tagged', ...(by === undefined ? {} : { written: by }) }, proposal, result }),
    );
    const before = catalog.current('wanted', BOX);
    add({ kind: 'wanted', subject: BOX, body: { role: 'build', manifest, artifacts: 0 }, ...(before === undefined ? {} : { prev: before.key }) });
  };
  const named = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'named' });
  const ofBox = { sha256: BYTES, sizeBytes: 1, path: 'box', evidence: [], source: { repository: named } };
  add({ kind: 'stored', subject: BOX, inputs: [BYTES], body: ofBox });
  add({ kind: 'observed', subject: named, body: { document: sha256('refs'), sizeBytes: 1, mediaType: 'x', url: 'https://forge.example/owner/named' } });
  const source = { kind: 'commit', tier: 'commit-tagged', repository: REPOSITORY, commit: COMMIT, evidence: 'tag', written };
  const locatedBy = written === undefined ? [] : [writtenInput({ sha256: written })];
  if (stated === undefined) add({ kind: 'located', subject: BOX, inputs: [BYTES, ...locatedBy], body: factBody({ source, snapshot: sha256('refs') }) });
  const [looked, built, elsewhere] = [sha256('looked'), sha256('built'), sha256('elsewhere')];
  const none = { upstream: BYTES, rebuild: TREE, ruleset: sha256(''), rung: 'none', needed: [], residueOmitted: 0, findings: [] } satisfies Omit<
    Comparison,
    'residue'
  >;
  if (identicalIn !== undefined) {
    await plan({ type: 'definition', definition: elsewhere, against: TREE }, identicalIn, triedBy);
    const same = await put(encodeComparison({ ...none, rung: 'identical', residue: [] }));
    const body = { rung: 'identical', comparison: same, definition: elsewhere, residue: 0 };
    add({ kind: 'compared', subject: BOX, inputs: comparedInputs(BYTES, TREE, elsewhere), body });
  }
  await plan({ type: 'definition', definition: looked, against: TREE });
  const comparison = await put(encodeComparison({ ...none, residue }));
  const body = { rung: 'none', comparison, definition: looked, residue: residue.length };
  add({ kind: 'compared', subject: BOX, inputs: comparedInputs(BYTES, TREE, looked), body });
  if (failed !== undefined) {
    await plan({ type: 'definition', definition: built });
    add({ kind: 'rebuilt', subject: BOX, inputs: [built], body: factBody({ status: 'failed', failureClass: failed, detail: 'it ended' }) });
  }
  const repositories = { open: () => Promise.reject(new Error('nothing is read again')) };
  const submit = async (facts: readonly (Fact | { readonly fact: Fact })[]) => {
    for (const fact of facts) add('fact' in fact ? fact.fact : fact);
  };
  const { strategy } = TINY;
  const commits = strategy.commits === undefined || filesDecide === undefined ? strategy.commits : { ...strategy.commits, filesDecide };
  const rebuilding = { ...TINY, strategy: commits === undefined ? strategy : { ...strategy, commits } };
  await giveVerdict({ ecosystem: { rebuilding }, blobs, catalog, repositories, sink: { submit }, written: stated && { of: () => stated } }, BOX);
  return VerdictBody.parse(catalog.current('verdict', BOX)?.entry.body);
}

const TINY: Rebuilding = {
  strategy: {
    engine: 1,
    eligible: () => ({ ok: true }),
    commits: { aliases: () => [], versions: () => [], manifests: [], readManifest: () => undefined, isOf: () => false, placesOf: () => [] },
    installableOf: () => undefined,
    propose: async () => ({ type: 'exhausted' }),
    compile: () => ({ files: [], phases: [{ name: 'build', argv: ['true'], env: {}, network: 'none', timeoutMs: 1 }], outputDir: 'out' }),
    readNeeds: () => undefined,
    classifyFailure: () => 'build-failed',
  },
  rulesOf: () => undefined,
};
