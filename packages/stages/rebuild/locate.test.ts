import { type CommitRules, encodeWritten, type RebuildStrategy, type WrittenDefinition } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeSnapshot } from '@granary/core/git';
import { encodeEntry, type Fact, formatPurl, LocatedBody, packageOf, sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { type LocatePorts, locateSource } from './locate.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.tgz' });
const LEADER = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.zip' });
const REPOSITORY = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'box' });
const COMMITS: CommitRules = { aliases: () => [], versions: () => [], manifests: [], readManifest: () => undefined, isOf: () => false, placesOf: () => [] };
const NO_REFS = encodeSnapshot({ objectFormat: 'sha1', refs: new Map(), peeled: new Map() });

it('says in which state of a repository it found nothing: where that has no objects yet', async () => {
  const site = await openSite();
  await site.observeEmpty();

  await locateSource(site.ports, BOX);

  expect(site.located()).toEqual({ snapshot: sha256(NO_REFS), findings: [] });
});

it('says nothing of a repository that nobody looked at', async () => {
  const site = await openSite();

  await locateSource(site.ports, BOX);

  expect(site.located()).toEqual({});
});

it('says of a file what was found for the one that tells more of the release, and waits for that', async () => {
  const site = await openSite({ ...COMMITS, locatedWith: ({ purl }) => (purl === BOX ? [LEADER] : []) });
  const source = { kind: 'commit', tier: 'commit-tagged', repository: REPOSITORY, commit: '1'.repeat(40), evidence: 'tag' };
  site.add({ kind: 'stored', subject: LEADER, inputs: ['leader'], body: { sha256: sha256('leader'), sizeBytes: 1, path: 'leader', evidence: [] } });
  await expect(locateSource(site.ports, BOX)).rejects.toMatchObject({ name: 'JobError', retry: 'later' });

  site.add({ kind: 'located', subject: LEADER, inputs: ['x'], body: { source, findings: ['claimed-commit-differs'] } });
  await locateSource(site.ports, BOX);

  expect(site.located()).toEqual({ source, findings: ['claimed-commit-differs'] });
});

describe('what an operator wrote down', () => {
  const definition = { file: 'tiny/box.yaml', fileSha256: sha256('file'), commit: '1'.repeat(40), environment: {}, requirements: [] };
  const entryOf = (written: WrittenDefinition) => ({ definition: written, sha256: sha256(encodeWritten(written)), file: Buffer.from('file') });
  const archive = { purl: LEADER, fileName: 'box.zip', path: 'box.zip', digests: {}, sha256: sha256('archive') };

  it('is found once, however often it is looked for', async () => {
    const site = await openSite();
    await site.observeEmpty();
    await locateSource(site.ports, BOX);

    for (const _ of [1, 2]) await locateSource({ ...site.ports, written: { of: () => entryOf(definition) } }, BOX);

    expect(site.count()).toBe(2);
  });

  it('has no archive in its place where it names a commit, and one where it names none', async () => {
    const { commit: _, ...without } = definition;
    const sourceBy = async (written: WrittenDefinition) => {
      const site = await openSite(COMMITS, () => archive);
      await site.observeEmpty();
      await locateSource({ ...site.ports, written: { of: () => entryOf(written) } }, BOX);
      return site.located()?.source;
    };

    expect(await sourceBy(definition)).toBe(undefined);
    expect(await sourceBy({ ...without, tag: 'v1' })).toBe(undefined);
    expect(await sourceBy(without)).toMatchObject({ kind: 'archive' });
  });
});

async function openSite(commits = COMMITS, sourceOf?: RebuildStrategy['sourceOf']) {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const add = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', toInstant(0)) }]);
  const { sha256: digest } = await blobs.put(Buffer.from('no archive'), { maxBytes: 100 });
  add({
    kind: 'stored',
    subject: BOX,
    inputs: [digest],
    body: { sha256: digest, sizeBytes: 10, path: 'box', evidence: [], source: { repository: REPOSITORY } },
  });
  const strategy = { engine: 1, commits, ...(sourceOf === undefined ? {} : { sourceOf }) };
  const ports: LocatePorts = {
    ecosystem: { rebuilding: { strategy, rulesOf: () => ({ format: 'tar.gz', normalizers: [], causeOf: () => undefined }) } },
    documents: { of: () => Promise.reject(new Error('nobody observed the package')), current: async () => undefined },
    blobs,
    catalog,
    repositories: { open: () => Promise.reject(new Error('nothing of it is held')) },
    sink: {
      async submit(facts) {
        for (const fact of facts) add('leaf' in fact ? fact.fact : fact);
      },
    },
  };
  return {
    ports,
    add,
    async observeEmpty() {
      const { sha256: refs } = await blobs.put(NO_REFS, { maxBytes: NO_REFS.length });
      add({ kind: 'observed', subject: REPOSITORY, body: { document: refs, sizeBytes: 1, mediaType: 'x', url: 'https://forge.example/owner/box' } });
    },
    count: () => catalog.ofPackage('located', packageOf(BOX), { history: true }).length,
    located() {
      const fact = catalog.current('located', BOX);
      return fact === undefined ? undefined : LocatedBody.parse(fact.entry.body);
    },
  };
}
