import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '@granary/contract/ports';
import { type Fact, factBody, pinned, type StateFact, toInstant } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openSqliteLock } from '@granary/driver-lock-sqlite';
import { exportPublicKey, openSiteKeys, type SiteKeys } from '@granary/driver-signer-key';
import { ARCHIVE_FORMAT, initArchive, openFsStore } from '@granary/driver-store-fs';
import { pypi } from '@granary/ecosystem-pypi';
import { openFactSink, openSequencer } from '@granary/stage-ledger';

/** A data folder that `granary serve` reads, with the files of one project in it. */
export interface SiteOnDisk {
  /** File name to address. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Puts facts into the public ledger. */
  submit(facts: readonly Fact[]): Promise<void>;
}

const KINDS = ['observed', 'stored', 'quarantined'];
const INDEX = 'application/vnd.pypi.simple.v1+json';

export async function makeSiteOnDisk(dataDir: string, project: string, files: ReadonlyMap<string, Uint8Array>): Promise<SiteOnDisk> {
  const keys = await openSiteKeys(join(dataDir, 'keys'));
  await writeFile(join(dataDir, 'granary.pub'), exportPublicKey(keys));
  const submit = async (facts: readonly Fact[]): Promise<void> => {
    await using store = await openFsStore(join(dataDir, 'public'));
    await sequence({ keys, store, lockFile: join(dataDir, 'ledger-heads.sqlite') }, facts);
  };
  await using store = await openFsStore(join(dataDir, 'public'));
  await initArchive(store, { format: ARCHIVE_FORMAT, origins: [originOf(keys)] });
  const { facts, addresses } = await storeProject(store, project, files);
  await submit(facts);
  return { addresses, submit };
}

interface Ledger {
  readonly keys: SiteKeys;
  readonly store: Store;
  readonly lockFile: string;
}

async function sequence({ keys, store, lockFile }: Ledger, facts: readonly Fact[]): Promise<void> {
  using lock = openSqliteLock({ file: lockFile });
  using catalog = openSqliteCatalog(':memory:', { mode: 'fold' });
  const { sync, sequencer } = keys.roles;
  const key: StateFact = { kind: 'key-added', subject: sync.keyId, body: { role: 'sync', kinds: KINDS, publicKey: sync.publicKeyPem } };
  await openFactSink({ store, signer: sync }).submit(facts);
  const writer = await openSequencer({
    store,
    lock,
    catalog,
    noteSigner: keys.ledgers.public,
    clock: { now: () => toInstant(Date.now()), sleep: async () => undefined },
    origin: originOf(keys),
    authority: { side: 'public', author: sequencer.keyId, keys: [key] },
    onRefused: (refusal) => {
      throw new Error(`refused: ${JSON.stringify(refusal)}`);
    },
  });
  await writer.drain();
}

async function storeProject({ blobs }: Store, project: string, files: ReadonlyMap<string, Uint8Array>) {
  const put = async (bytes: Uint8Array) => (await blobs.put(bytes, { maxBytes: bytes.length })).sha256;
  const list = async ([filename, bytes]: readonly [string, Uint8Array]) => ({
    filename,
    url: `https://files.registry.example/f/${filename}`,
    hashes: { sha256: await put(bytes) },
    'upload-time': '2025-06-01T00:00:00Z',
    yanked: false,
  });
  const listed = await Promise.all([...files].map(list));
  const document = Buffer.from(JSON.stringify({ meta: { 'api-version': '1.1' }, name: project, files: listed }));
  const from = { url: `https://registry.example/simple/${project}/`, contentType: INDEX };
  const { artifacts } = pypi.index.parse(document, { ...from, package: pypi.demand.packageOfPin({ name: project, version: '1.0' }) });
  const observed = factBody({ document: await put(document), sizeBytes: document.length, mediaType: INDEX, url: from.url });
  const stored = artifacts
    .flatMap((artifact) => pinned(artifact) ?? [])
    .map(({ purl, fileName, sha256, path, publishedAt }): Fact => {
      const body = factBody({ sha256, sizeBytes: files.get(fileName)?.length ?? 0, path, publishedAt, evidence: [] });
      return { kind: 'stored', subject: purl, inputs: [sha256], body };
    });
  const facts: readonly Fact[] = [{ kind: 'observed', subject: `pkg:pypi/${project}`, body: observed }, ...stored];
  return { facts, addresses: new Map(artifacts.map(({ fileName, path }) => [fileName, `/pypi/${path}`])) };
}

function originOf({ ledgers }: SiteKeys): string {
  return ledgers.public.verifierKey.split('+', 1)[0] ?? '';
}
