import { encodeEntry, type Fact, formatPurl, type Purl, sha256, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { memoryCatalog } from '../memory/index.ts';
import type { CommitRules } from './commit-rules.ts';
import type { Rebuilding } from './ecosystem.ts';
import { sourceStanding } from './source-standing.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.whl' });
const LEADER = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.zip' });
/** Nobody holds it. */
const LID = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'lid-1.0.zip' });
const REPOSITORY = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'box' });
const COMMITS: CommitRules = { aliases: () => [], versions: () => [], manifests: [], readManifest: () => undefined, isOf: () => false, placesOf: () => [] };

it('is where a commit may be looked for, as soon as the repository is held, and not before', () => {
  const site = openSite({ commits: COMMITS });
  const before = site.standing();

  site.observe('one');

  expect(before).toEqual({ type: 'ineligible', failureClass: 'repository-not-mirrored' });
  expect(site.standing()).toMatchObject({ type: 'to-locate', state: sha256('one') });
});

it('is what it was while no repository is held, where only a commit will do for one file of many', () => {
  const site = openSite({ commits: COMMITS, sourceOf: () => undefined, eligible: () => ({ ok: true, withoutCommit: 'not-a-wheel' }) });
  const before = site.standing();

  site.observe('one');

  expect([before, site.standing().type]).toEqual([{ type: 'ineligible', failureClass: 'not-a-wheel' }, 'to-locate']);
});

it('waits for no repository where there is an archive, and is looked for again once that is held', () => {
  const site = openSite({ commits: COMMITS, sourceOf: () => undefined });
  const first = site.standing();
  site.locate({ source: { kind: 'archive', tier: 'publisher-archive', purl: BOX, sha256: sha256('archive') } }, 'archive');
  const located = site.standing();

  site.observe('one');

  expect([first.type, located.type, site.standing().type]).toEqual(['to-locate', 'located', 'to-locate']);
});

it('is looked for again in each state of a repository, until a commit was found', () => {
  const site = openSite({ commits: COMMITS });
  site.observe('one');
  site.locate({ snapshot: sha256('one') }, 'one');
  const nothing = site.standing();
  site.observe('two');
  const again = site.standing();
  site.locate(
    { snapshot: sha256('two'), source: { kind: 'commit', tier: 'commit-tagged', repository: REPOSITORY, commit: '1'.repeat(40), evidence: 'tag' } },
    'two',
  );
  const found = site.standing();

  site.observe('three');

  expect([nothing.type, again.type, found.type, site.standing().type]).toEqual(['located', 'to-locate', 'located', 'located']);
});

it('is behind another file of the release that tells more of its commit, as soon as that is held', () => {
  const site = openSite({ commits: { ...COMMITS, locatedWith: ({ purl }) => (purl === BOX ? [LID, LEADER] : []) } });
  site.observe('one');
  site.locate({ snapshot: sha256('one') }, 'one');
  const alone = site.standing();
  site.store(LEADER);
  const behind = site.standing();
  site.locate({ snapshot: sha256('one') }, 'leader', LEADER);
  const found = site.standing();
  const followed = site.factOf(LEADER);
  site.locate({ snapshot: sha256('one') }, followed);

  expect([alone.type, behind, found]).toEqual([
    'located',
    expect.objectContaining({ type: 'waiting' }),
    expect.objectContaining({ type: 'to-locate', state: followed }),
  ]);
  expect(site.standing()).toMatchObject({ type: 'located', fact: { key: site.factOf(BOX) } });
});

it('is that of the file that it is behind, where that has no repository to look into', () => {
  const site = openSite({ commits: { ...COMMITS, locatedWith: ({ purl }) => (purl === BOX ? [LEADER] : []) } });
  site.store(LEADER);

  expect(site.standing()).toEqual({ type: 'ineligible', failureClass: 'repository-not-mirrored' });
});

it('is no repository’s business where nothing is rebuilt from commits, or the package names none', () => {
  const archives = openSite({ sourceOf: () => undefined });
  archives.observe('one');
  const nameless = openSite({ commits: COMMITS }, {});
  nameless.observe('one');

  expect(archives.standing()).toEqual({ type: 'to-locate', before: undefined });
  expect(nameless.standing()).toMatchObject({ type: 'ineligible', failureClass: 'repository-not-mirrored' });
  expect(openSite(undefined).standing()).toEqual({ type: 'ineligible', failureClass: 'unsupported-ecosystem' });
});

function openSite(strategy: Partial<Rebuilding['strategy']> | undefined, claim: object = { source: { repository: REPOSITORY } }) {
  const catalog = memoryCatalog();
  const add = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const bytes = sha256('box');
  const store = (subject: Purl) =>
    add({ kind: 'stored', subject, inputs: [bytes], body: { sha256: bytes, sizeBytes: 1, path: 'box', evidence: [], ...claim } });
  store(BOX);
  const rebuilding: Rebuilding = {
    strategy: {
      engine: 1,
      eligible: () => ({ ok: true }),
      installableOf: () => undefined,
      propose: async () => ({ type: 'exhausted' }),
      compile: () => ({ files: [], phases: [{ name: 'build', argv: ['true'], env: {}, network: 'none', timeoutMs: 1 }], outputDir: 'out' }),
      readNeeds: () => undefined,
      classifyFailure: () => 'build-failed',
      ...strategy,
    },
    rulesOf: () => undefined,
  };
  return {
    standing() {
      const stored = catalog.current('stored', BOX);
      if (stored === undefined) throw new Error('it is not stored');
      return sourceStanding(catalog, strategy === undefined ? {} : { rebuilding }, stored);
    },
    observe(document: string) {
      const before = catalog.current('observed', REPOSITORY);
      const body = { document: sha256(document), sizeBytes: 1, mediaType: 'x', url: 'https://forge.example/owner/box' };
      add({ kind: 'observed', subject: REPOSITORY, body, ...(before === undefined ? {} : { prev: before.key }) });
    },
    store,
    factOf: (subject: Purl) => catalog.current('located', subject)?.key ?? '',
    locate: (body: { readonly [name: string]: never } | object, input: string, subject = BOX) =>
      add({ kind: 'located', subject, inputs: [input], body: JSON.parse(JSON.stringify(body)) }),
  };
}
