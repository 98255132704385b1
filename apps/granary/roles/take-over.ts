import type { Clock } from '@granary/contract/ports';
import type { Arrivals } from '@granary/stage-sync';

export interface TakeOverOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly note: (text: string) => void;
  /** No other process fetches for the same site. What another has not recorded yet is its own, unless it is old. */
  readonly isAlone: boolean;
  /** Aborts when this process ends. */
  readonly signal: AbortSignal;
}

/** How old what nobody recorded has to be where others may be about to: at first, and each time afterwards, when who lives has recorded what can be. */
const ORPHAN_MS = { first: 60_000, later: 15 * 60_000 };

/** Sees to it that what came for clients is recorded, whoever fetched it and ended before it was: at the start, and beside others time and again. Never rejects. */
export async function takeOver({ resume }: Pick<Arrivals, 'resume'>, { clock, note, isAlone, signal }: TakeOverOptions): Promise<void> {
  const take = async (olderThanMs?: number) => {
    try {
      for (const key of await resume(olderThanMs)) note(`${key}: what came for clients can't be read there; it stays where it is`);
    } catch (error) {
      note(`what came for clients before could not be taken in: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  if (isAlone) return await take();
  for (let waitMs = ORPHAN_MS.first; !signal.aborted; waitMs = ORPHAN_MS.later) {
    await clock.sleep(waitMs, signal).catch(() => undefined);
    if (!signal.aborted) await take(waitMs);
  }
}
