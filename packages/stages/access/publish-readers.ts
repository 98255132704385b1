import type { Catalog, Clock, NoteSigner, Store } from '@granary/contract/ports';
import { formatReaderList, type ReaderList } from '@granary/core/access';
import { READERS_KEY } from '@granary/core/layout';
import { formatNote, MAX_NOTE_BYTES, parseVerifierKey } from '@granary/core/tlog';
import { openReaderList } from './published-readers.ts';
import { readersIn } from './registered-readers.ts';

export interface PublishPorts {
  /** The public one. */
  readonly store: Pick<Store, 'objects' | 'mutable'>;
  readonly catalog: Pick<Catalog, 'all' | 'current' | 'revision'>;
  /** Key of the public ledger: what nodes trust already. */
  readonly signer: NoteSigner;
  readonly clock: Clock;
}

/** Another sequencer may have written an older list, or somebody removed it: derived data. */
const LOOK_AGAIN_MS = 15_000;

/**
 * Opens what tells nodes who may read. The function that it gives is called after every batch: it writes the list when it changed, and looks
 * now and then whether it is still there. Nothing is written until there was a first reader.
 */
export function openReaderPublisher(ports: PublishPorts): () => Promise<void> {
  let done = { revision: -1, at: 0 };
  return async () => {
    const revision = ports.catalog.revision();
    const now = Date.parse(ports.clock.now());
    if (revision === done.revision && Math.abs(now - done.at) < LOOK_AGAIN_MS) return;
    await publish(ports);
    done = { revision, at: now };
  };
}

async function publish({ store, catalog, signer }: PublishPorts): Promise<void> {
  const key = parseVerifierKey(signer.verifierKey);
  if (key === undefined) throw new RangeError('list of readers: the ledger has no verifier key');
  const version = versionOf(catalog);
  if (version === 0) return;
  const readers = new Map(readersIn(catalog).map(({ id, token }) => [id, token]));
  const text = formatReaderList({ origin: key.name, version, readers });
  const there = await store.objects.get(READERS_KEY, MAX_NOTE_BYTES);
  const known = there === undefined ? undefined : openReaderList(there, key);
  // Who knows more than this process wrote it.
  if (known !== undefined && (known.version > version || formatReaderList(known) === text)) return;
  const signature = await signer.sign(new TextEncoder().encode(text));
  await store.mutable.replace(READERS_KEY, formatNote({ text, signatures: [{ name: key.name, keyId: key.keyId, signature }] }));
}

/** Where in the private ledger the newest fact about a reader stands, counted from 1; 0 when there is none. */
function versionOf(catalog: PublishPorts['catalog']): ReaderList['version'] {
  let version = 0;
  for (const { index } of catalog.all('reader')) version = Math.max(version, index + 1);
  return version;
}
