import { join } from 'node:path';
import type { LoggedStatement, Store } from '@granary/contract/ports';
import type { Judged } from '@granary/core/bundle';
import { checkpointKey, tileKey } from '@granary/core/layout';
import { encodeEntry, type Fact, sha256, toInstant } from '@granary/core/model';
import { appendLeaves, EMPTY_EDGE, formatCheckpoint, formatNote, parseVerifierKey, tilePath, type VerifierKey } from '@granary/core/tlog';
import { exportPublicKey, openSiteKeys, type SiteKeys } from '@granary/driver-signer-key';
import { openFsStore } from '@granary/driver-store-fs';
import { attest, siteKeyFacts } from '@granary/stage-attest';

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

/** A site in a folder, made by the real stages and drivers; its log is written in one go, without a sequencer. */
export interface TestSite {
  readonly folder: string;
  readonly keys: SiteKeys;
  readonly publicKey: string;
  readonly store: Store;
  readonly ledgerKey: VerifierKey;
  readonly leaves: readonly Uint8Array[];
  add(fact: Fact): void;
  attest(what: Judged): Promise<void>;
  /** Writes tiles and checkpoint of all that was added so far. */
  publish(): Promise<void>;
}

export async function makeSite(root: string): Promise<TestSite> {
  const keys = await openSiteKeys(join(root, 'keys'), { origins: { public: ORIGIN } });
  const ledgerKey = parseVerifierKey(keys.ledgers.public.verifierKey);
  if (ledgerKey === undefined) throw new Error('no verifier key');
  const folder = join(root, 'mirror');
  const store = await openFsStore(folder);
  const leaves: Uint8Array[] = [];
  const add = (fact: Fact) => void leaves.push(encodeEntry(fact, keys.roles.sequencer.keyId, toInstant(1_700_000_000_000)));
  const signing = { signer: keys.statement, objects: store.objects };
  const submit = async (facts: readonly (Fact | LoggedStatement)[]) => {
    for (const given of facts) {
      if ('leaf' in given) leaves.push(given.leaf);
      add('leaf' in given ? given.fact : given);
    }
  };
  add({ kind: 'site', subject: 'site', body: { origin: ORIGIN } });
  for (const fact of await siteKeyFacts(signing, ledgerKey.text)) add(fact);
  return {
    folder,
    keys,
    publicKey: exportPublicKey(keys),
    store,
    ledgerKey,
    leaves,
    add,
    attest: async (what) => void (await attest({ ...signing, sink: { submit } }, what, ORIGIN)),
    publish: () => publish(store, keys, ledgerKey, leaves),
  };
}

async function publish(store: Store, keys: SiteKeys, { name, keyId }: VerifierKey, leaves: readonly Uint8Array[]): Promise<void> {
  const { edge, root, tiles } = appendLeaves(EMPTY_EDGE, leaves);
  for (const { tile, bytes } of tiles) await store.objects.putOnce(tileKey(name, tilePath(tile)), bytes);
  const text = formatCheckpoint({ origin: name, size: edge.size, root, extensions: [] });
  const signature = await keys.ledgers.public.sign(new TextEncoder().encode(text));
  await store.mutable.replace(checkpointKey(name), formatNote({ text, signatures: [{ name, keyId, signature }] }));
}
