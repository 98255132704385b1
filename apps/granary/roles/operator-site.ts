import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@granary/config';
import { StoreError } from '@granary/contract/ports';
import { PENDING_PREFIX } from '@granary/core/layout';
import { factKey, type StateFact } from '@granary/core/model';
import { hasSiteKeys } from '@granary/driver-signer-key';
import type { WatchPorts } from '@granary/stage-demand';
import { findPending, openFactSink } from '@granary/stage-ledger';
import { AppError } from '../app-error.ts';
import { dataPaths } from './data-paths.ts';
import { openSequencingSite } from './sequencing-site.ts';
import { type SiteReader, withSiteReader } from './site-reader.ts';

/** A site as an operator's command writes to it, whether anything else runs on it or not. */
export interface OperatorSite {
  readonly ports: WatchPorts;
  /** `recorded`: in the ledger. `handed-over`: kept in the store, until a process that writes the ledger takes it. Throws AppError when it was refused. */
  readonly settle: (fact: StateFact) => Promise<'recorded' | 'handed-over'>;
}
export interface OperatorSiteOptions {
  readonly config: Config;
  /** Where there is no archive yet, one is made. */
  readonly mayMake: boolean;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 200;
const TOLD_AFTER_MS = 2000;
/** Whoever writes the ledgers looks every few seconds; a scheduler between jobs twice a minute. */
const PATIENCE_MS = 45_000;

/**
 * Opens a site for an operator's facts, and closes it after `use`. When nothing else has the data folder and everything lies in it, this
 * process writes the ledger itself; otherwise it hands over what it has, and waits for the process that does.
 */
export async function withOperatorSite<T>(options: OperatorSiteOptions, use: (site: OperatorSite) => Promise<T>): Promise<T> {
  const alone = await openAlone(options);
  if (alone === undefined) return await withSiteReader(options.config, async (reader) => await use(handingOver(reader, options)));
  await using site = alone;
  // Of a process that was killed, something may wait.
  await site.settle();
  const settle = async (fact: StateFact) => {
    await site.settle();
    if (site.catalog.byKey(factKey(fact)) === undefined) throw refused(fact);
    return 'recorded' as const;
  };
  return await use({ ports: { blobs: site.privateStore.blobs, catalog: site.catalog, sink: site.sinkOf('operator') }, settle });
}

async function openAlone({ config, mayMake, note }: OperatorSiteOptions): Promise<Awaited<ReturnType<typeof openSequencingSite>> | undefined> {
  const { store, queue, dataDir } = config;
  if (store.type !== 'folder' || store.path !== dataDir || queue.type !== 'process') return undefined;
  if (!mayMake && !(await hasSiteKeys(dataPaths(config).keys))) return undefined;
  const onRefused = ({ reason }: { readonly reason: string }) => note(`a fact was refused: ${reason}`);
  try {
    return await openSequencingSite({ config, purpose: 'granary watch', note, onRefused, onBatch: () => undefined });
  } catch (error) {
    if (error instanceof StoreError && error.code === 'in-use') return undefined;
    throw error;
  }
}

function handingOver({ privateStore, keys, catalog }: SiteReader, options: OperatorSiteOptions): OperatorSite {
  const sink = openFactSink({ store: privateStore, signer: keys.roles.operator });
  const pending = async () => new Set(await Array.fromAsync(privateStore.objects.list(PENDING_PREFIX)));
  return {
    ports: { blobs: privateStore.blobs, catalog, sink },
    async settle(fact) {
      const key = factKey(fact);
      const holding = await findPending(privateStore, key);
      if (!(await untilTaken(async () => !holding.isDisjointFrom(await pending()), options))) return 'handed-over';
      if (!(await withSiteReader(options.config, (now) => now.catalog.byKey(key) !== undefined))) throw refused(fact);
      return 'recorded';
    },
  };
}

/** Resolves to false when the wait is over and it still is pending. */
async function untilTaken(isPending: () => Promise<boolean>, { note, signal }: OperatorSiteOptions): Promise<boolean> {
  for (let waitedMs = 0; await isPending(); waitedMs += LOOK_EVERY_MS) {
    if (signal.aborted || waitedMs >= PATIENCE_MS) return false;
    if (waitedMs === TOLD_AFTER_MS) note('waiting for the process that writes the ledger; Ctrl-C leaves it to it');
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return true;
}

function refused({ subject }: StateFact): AppError {
  return new AppError('problems-found', `${subject}: another command changed it at the same time; granary watch list shows how it stands`);
}
