import { StoreError } from '@granary/contract/ports';
import { PENDING_PREFIX } from '@granary/core/layout';
import { LockError as PostgresLockError } from '@granary/driver-lock-postgres';
import { LockError as SqliteLockError } from '@granary/driver-lock-sqlite';
import { LedgerError } from '@granary/stage-ledger';
import type { RunOptions } from './run-up.ts';
import { openSequencingSite, type SequencingSite } from './sequencing-site.ts';

const BUSY_MS = 50;
const IDLE_MS = 1000;
const STANDBY_MS = 2000;
/** A head that stands still for so long while facts are pending is nobody's. */
const TAKE_OVER_MS = 20_000;

/** What may pass by itself. */
const OUTSIDE: ReadonlySet<string> = new Set(['unreachable', 'lost-answer', 'busy']);

/**
 * Writes what is pending into both ledgers, until the signal aborts. Of several sequencers the lock lets one go on; the others stand by,
 * and one of them takes over when the head stands still. What the store or the lock can't do now is tried again.
 */
export async function runSequencer(options: RunOptions): Promise<void> {
  const { config, progress, signal } = options;
  const { note } = progress;
  let wrote = false;
  await using site = await openSequencingSite({
    config,
    purpose: 'granary sequencer',
    note,
    onRefused: ({ reason }) => note(`a fact was refused: ${reason}`),
    onBatch: ({ origin, ...batch }) => {
      wrote = true;
      progress.onStep({ type: 'batch', id: origin, ...batch });
    },
  });
  note(`sequencing ${site.origins.public} and ${site.origins.private}`);
  let pauseMs = BUSY_MS;
  /** Ledgers that the other one may have written too, which shows once there is something for each: no reason to stand by again. */
  let stale = 0;
  while (!signal.aborted) {
    wrote = false;
    const fault = await site.settle().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (fault === undefined) pauseMs = wrote ? BUSY_MS : Math.min(IDLE_MS, pauseMs * 2);
    else if (isLost(fault) && stale > 0) {
      pauseMs = BUSY_MS;
      stale -= 1;
    } else {
      pauseMs = await takeTurns(fault, site, options);
      stale = Object.keys(site.origins).length - 1;
    }
    await site.clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

/** What comes of a fault: resolves when it is time to try again, to the pause before that. */
async function takeTurns(fault: unknown, site: SequencingSite, options: RunOptions): Promise<number> {
  if (!isLost(fault)) return tryAgain(fault, options.progress.note);
  return await standBy(site, options).then(
    () => BUSY_MS,
    // Whoever stands by needs the store and the lock too.
    (error: unknown) => tryAgain(error, options.progress.note),
  );
}

function isLost(fault: unknown): boolean {
  return fault instanceof LedgerError && fault.code === 'lost-lock';
}

function tryAgain(fault: unknown, note: (text: string) => void): number {
  const isLock = fault instanceof PostgresLockError || fault instanceof SqliteLockError;
  if (!(isLock || fault instanceof StoreError) || !OUTSIDE.has(fault.code)) throw fault;
  note(`not sequencing now, and trying again: ${fault.message}`);
  return IDLE_MS;
}

/** Resolves when nobody seems to write the ledgers any more, or when the signal aborts. */
async function standBy(site: SequencingSite, { progress, signal }: RunOptions): Promise<void> {
  const { lock } = site;
  progress.note('another sequencer writes the ledgers; standing by');
  const heads = async () =>
    (await Promise.all(Object.values(site.origins).map((origin) => lock.load(origin)))).map((head) => Buffer.from(head ?? []).toString()).join();
  let last = await heads();
  for (let stillMs = 0; stillMs < TAKE_OVER_MS && !signal.aborted; ) {
    await site.clock.sleep(STANDBY_MS, signal).catch(() => undefined);
    const now = await heads().catch(() => last);
    stillMs = now === last && (await isPending(site)) ? stillMs + STANDBY_MS : 0;
    last = now;
  }
  if (!signal.aborted) progress.note('the other sequencer went silent; taking over');
}

async function isPending({ publicStore, privateStore }: SequencingSite): Promise<boolean> {
  for (const { objects } of [publicStore, privateStore]) for await (const _key of objects.list(PENDING_PREFIX)) return true;
  return false;
}
