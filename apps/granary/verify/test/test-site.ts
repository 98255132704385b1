import { join } from 'node:path';
import { memoryLock } from '@granary/contract/memory';
import type { Catalog, Store } from '@granary/contract/ports';
import type { Judged } from '@granary/core/bundle';
import { type Fact, type FactKind, sha256, toInstant } from '@granary/core/model';
import { parseVerifierKey, type VerifierKey } from '@granary/core/tlog';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { exportPublicKey, openSiteKeys, type Role, type SiteKeys } from '@granary/driver-signer-key';
import { openFsStore } from '@granary/driver-store-fs';
import { attest, siteKeyFacts } from '@granary/stage-attest';
import { openFactSink, openSequencer } from '@granary/stage-ledger';

export const ORIGIN = 'mirror.example';
export const wheel = new TextEncoder().encode('the bytes of a wheel');
export const fileName = 'six-1.16.0-py2.py3-none-any.whl';
export const purl = `pkg:pypi/six@1.16.0?file_name=${fileName}`;

export const judged: Judged = {
  subject: { name: purl, sha256: sha256(wheel) },
  verdictKey: sha256('verdict'),
  verdict: 'reproduced',
  sourceTier: 'publisher-archive',
  rebuilt: { subject: { name: purl, sha256: sha256(wheel) }, definition: sha256('definition'), rootfs: sha256('rootfs'), fetched: [] },
  policy: { uri: `https://${ORIGIN}/policy/verified`, digest: sha256('policy'), met: true },
};

const KINDS: Readonly<Partial<Record<Role, readonly FactKind[]>>> = { attest: ['attested'], sync: ['stored'], operator: ['quarantined', 'released'] };

/** A site in a folder, made by the real stages and drivers. */
export interface TestSite {
  readonly folder: string;
  readonly keys: SiteKeys;
  readonly publicKey: string;
  readonly store: Store;
  readonly catalog: Catalog;
  readonly ledgerKey: VerifierKey;
  /** Puts facts into the ledger and resolves to its size. */
  add(role: Role, ...facts: readonly Fact[]): Promise<number>;
  /** As `add`, for the statements of a verdict. */
  attest(what: Judged): Promise<number>;
}

export async function makeSite(root: string): Promise<TestSite> {
  const keys = await openSiteKeys(join(root, 'keys'), { origins: { public: ORIGIN } });
  const ledgerKey = parseVerifierKey(keys.ledgers.public.verifierKey);
  if (ledgerKey === undefined) throw new Error('no verifier key');
  const folder = join(root, 'mirror');
  const store = await openFsStore(folder);
  const catalog = openSqliteCatalog(':memory:', { mode: 'fold' });
  const signing = { signer: keys.statement, objects: store.objects };
  const sequencer = await openSequencer({
    store,
    lock: memoryLock(),
    noteSigner: keys.ledgers.public,
    origin: ORIGIN,
    catalog,
    clock: { now: () => toInstant(1_700_000_000_000), sleep: async () => undefined },
    authority: { side: 'public', author: keys.roles.sequencer.keyId, keys: [...(await siteKeyFacts(signing, ledgerKey.text)), ...roleKeys(keys)] },
    onRefused: (refusal) => {
      throw new Error(`refused: ${JSON.stringify(refusal)}`);
    },
  });
  const sinkOf = (role: Role) => openFactSink({ store, signer: keys.roles[role] });
  const drained = async () => (await sequencer.drain()).checkpoint.size;
  return {
    folder,
    keys,
    publicKey: exportPublicKey(keys),
    store,
    catalog,
    ledgerKey,
    async add(role, ...facts) {
      await sinkOf(role).submit(facts);
      return await drained();
    },
    async attest(what) {
      await attest({ ...signing, sink: sinkOf('attest') }, what, ORIGIN);
      return await drained();
    },
  };
}

function roleKeys(keys: SiteKeys): readonly (Fact & { readonly kind: 'key-added' })[] {
  return (['sequencer', 'attest', 'sync', 'operator'] as const).map((role) => {
    const { keyId, publicKeyPem } = keys.roles[role];
    return { kind: 'key-added', subject: keyId, body: { role, kinds: [...(KINDS[role] ?? [])], publicKey: publicKeyPem } };
  });
}
