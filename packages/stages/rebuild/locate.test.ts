import type { CommitRules } from '@granary/contract/ecosystem';
import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeSnapshot } from '@granary/core/git';
import { encodeEntry, type Fact, formatPurl, LocatedBody, sha256, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type LocatePorts, locateSource } from './locate.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: 'box-1.0.tgz' });
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

async function openSite() {
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
  const strategy = { engine: 1, commits: COMMITS };
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
    async observeEmpty() {
      const { sha256: refs } = await blobs.put(NO_REFS, { maxBytes: NO_REFS.length });
      add({ kind: 'observed', subject: REPOSITORY, body: { document: refs, sizeBytes: 1, mediaType: 'x', url: 'https://forge.example/owner/box' } });
    },
    located() {
      const fact = catalog.current('located', BOX);
      return fact === undefined ? undefined : LocatedBody.parse(fact.entry.body);
    },
  };
}
