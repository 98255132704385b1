import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPackageDocuments, type RebuildableEcosystem } from '@granary/contract/ecosystem';
import { manualClock, memoryCatalog, memoryStore } from '@granary/contract/memory';
import { type AttestationVerifier, JobError, type Upstream, UpstreamError } from '@granary/contract/ports';
import { encodeSnapshot } from '@granary/core/git';
import { encodeEntry, type Fact, LocatedBody, type Purl, packageOf, purlParts, StoredBody } from '@granary/core/model';
import { openRepositories } from '@granary/driver-git-native';
import { locateSource } from '@granary/stage-rebuild';
import { type SyncPorts, storeArtifact } from '@granary/stage-sync';
import { expect, onTestFinished } from 'vitest';
import { inOne, type Project } from './project.ts';

/** Takes packages in from an upstream that is a table, and looks for their commits in projects that it mirrored. */
export interface AttestingSite {
  /** Takes in the file of an index document that lies at that address. */
  take(purl: Purl, index: { readonly url: string; readonly mediaType: string }): Promise<StoredBody>;
  mirror(repository: Purl, project: Project): Promise<void>;
  locate(purl: Purl): Promise<LocatedBody>;
}
export interface AttestingSiteOptions {
  readonly ecosystem: RebuildableEcosystem;
  /** What upstream has, by address. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly attestations?: AttestationVerifier | undefined;
}

const NOWHERE = 'https://registry.example/';

export async function openAttestingSite({ ecosystem, files, attestations }: AttestingSiteOptions): Promise<AttestingSite> {
  const folder = mkdtempSync(join(tmpdir(), 'granary-attesting-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [{ blobs }, catalog, clock] = [memoryStore(), memoryCatalog(), manualClock()];
  const record = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', clock.now()) }]);
  const put = (bytes: Uint8Array) => blobs.put(bytes, { maxBytes: bytes.length });
  const repositories = await openRepositories({ folder, blobs, maxBytes: 2 ** 30 });
  onTestFinished(() => repositories[Symbol.asyncDispose]());
  const sink: SyncPorts['sink'] = {
    async submit(facts) {
      for (const given of facts) record('leaf' in given ? given.fact : given);
    },
  };
  const documents = openPackageDocuments({ blobs, catalog, ecosystem });
  const shared = { ecosystem, blobs, catalog, sink, documents };
  const sync: SyncPorts = {
    ...{ ...shared, upstreamBase: NOWHERE, settings: {}, upstream: tableUpstream(files, clock), clock, attestations },
    addressOf: async ({ url }) => url,
  };
  const observe = async (subject: Purl, bytes: Uint8Array, { url, mediaType }: { readonly url: string; readonly mediaType: string }) =>
    record({ kind: 'observed', subject, body: { document: (await put(bytes)).sha256, sizeBytes: bytes.length, mediaType, url } });
  return {
    async take(purl, index) {
      await observe(packageOf(purl), files.get(index.url) ?? expect.fail(`${index.url} is not in the table`), index);
      await storeArtifact(sync, { purl, digests: {} });
      return StoredBody.parse(catalog.current('stored', purl)?.entry.body);
    },
    async mirror(repository, project) {
      const { state, pack } = project.packed();
      const local = await repositories.open(repository, { objectFormat: state.objectFormat, packs: [] });
      const taken = await local.take(inOne(pack), [...state.refs.values()], { maxBytes: 2 ** 26, timeoutMs: 60_000 });
      const { pack: sha256, index, sizeBytes } = taken;
      const body = { sha256, sizeBytes, path: 'pack', companions: { idx: index }, evidence: [], support: true };
      record({ kind: 'stored', subject: `${repository}?file_name=pack-${sha256}.pack`, inputs: [sha256], body });
      await observe(repository, encodeSnapshot(state), { url: `https://forge.example/${purlParts(repository).name}`, mediaType: 'x' });
    },
    async locate(purl) {
      const nothing = {
        environment: async () => undefined,
        candidateDocuments: async () => undefined,
        resolve: () => Promise.reject(new JobError('never', 'nothing is built')),
      };
      await locateSource({ ...shared, ...nothing, repositories }, purl);
      return LocatedBody.parse(catalog.current('located', purl)?.entry.body);
    },
  };
}

function tableUpstream(files: ReadonlyMap<string, Uint8Array>, clock: ReturnType<typeof manualClock>): Upstream {
  return {
    async open({ url, maxBytes }) {
      const bytes = files.get(url);
      if (bytes === undefined) return { status: 'not-found', code: 404, at: clock.now() };
      if (bytes.length > maxBytes) throw new UpstreamError('too-large', url, 'more than is wanted');
      return { status: 'ok', url, contentType: 'application/json', body: inOne(bytes), at: clock.now() };
    },
  };
}
