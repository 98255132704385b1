import { readFile, writeFile } from 'node:fs/promises';
import type { Config } from '@granary/config';
import type { LockBackend } from '@granary/contract/ports';
import type { StateFact } from '@granary/core/model';
import { exportPublicKey, type SiteKeys } from '@granary/driver-signer-key';
import { ARCHIVE_FORMAT, initArchive } from '@granary/driver-store-fs';
import { openReaderPublisher } from '@granary/stage-access';
import { siteKeyFacts } from '@granary/stage-attest';
import { openSequencer, type Refusal } from '@granary/stage-ledger';
import { ROLE_KINDS, WRITING_ROLES } from './role-kinds.ts';
import { openLock } from './services.ts';
import { sharing } from './sharing.ts';
import { openSiteBase, type Site } from './site.ts';

export interface SequencingSiteOptions {
  readonly config: Config;
  readonly purpose: string;
  readonly note: (text: string) => void;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onBatch: (batch: BatchEvent) => void;
}
/** A batch of a ledger is about to be written, or is published. */
export interface BatchEvent {
  readonly origin: string;
  readonly entries: number;
  readonly state: 'started' | 'ended';
}

export interface SequencingSite extends Site {
  /** Decides who writes the ledgers. */
  readonly lock: LockBackend;
}

/** Opens a site to write its ledgers, or makes it. Its catalog is as new as they are; to settle is to sequence. */
export async function openSequencingSite({ config, purpose, note, onRefused, onBatch }: SequencingSiteOptions): Promise<SequencingSite> {
  await using stack = new AsyncDisposableStack();
  const base = stack.use(await openSiteBase(config, purpose));
  const { paths, publicStore, privateStore, keys, catalog, origins, clock } = base;
  await initArchive(publicStore, { format: ARCHIVE_FORMAT, origins: [origins.public] });
  await initArchive(privateStore, { format: ARCHIVE_FORMAT, origins: [origins.private] });
  // Last: where it lies, there is an archive to serve.
  await writeWhenNew(paths.publicKey, exportPublicKey(keys));
  const lock = stack.use(await openLock(config, note));
  const sequencer = async (side: 'public' | 'private', authorityKeys: readonly StateFact[]) =>
    await openSequencer({
      store: side === 'public' ? publicStore : privateStore,
      lock,
      noteSigner: keys.ledgers[side],
      origin: origins[side],
      catalog,
      clock,
      authority: { side, author: keys.roles.sequencer.keyId, keys: authorityKeys },
      onRefused,
      onBatch,
    });
  const siteKeys = await siteKeyFacts({ signer: keys.statement, objects: publicStore.objects }, keys.ledgers.public.verifierKey);
  const ledgers = [await sequencer('public', [...siteKeys, ...roleKeys(keys)]), await sequencer('private', roleKeys(keys))];
  const publishReaders = openReaderPublisher({ store: publicStore, catalog, signer: keys.ledgers.public, clock });
  const drain = async () => {
    for (const ledger of ledgers) await ledger.drain();
    await publishReaders();
  };
  const owned = stack.move();
  return { ...base, lock, settle: sharing(drain), refresh: async () => undefined, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The folder of keys may be read-only once they are made. */
async function writeWhenNew(file: string, text: string): Promise<void> {
  const there = await readFile(file, 'utf8').catch(() => undefined);
  if (there !== text) await writeFile(file, text);
}

function roleKeys(keys: SiteKeys): readonly StateFact[] {
  return WRITING_ROLES.map((role) => {
    const { keyId, publicKeyPem } = keys.roles[role];
    return { kind: 'key-added', subject: keyId, body: { role, kinds: [...ROLE_KINDS[role]], publicKey: publicKeyPem } };
  });
}
