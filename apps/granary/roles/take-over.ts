import type { Clock } from '@granary/contract/ports';
import type { ObjectKey } from '@granary/core/layout';
import type { Arrivals } from '@granary/stage-sync';

export interface TakeOverOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly note: (text: string) => void;
  /** No other process fetches for the same site. What another has not recorded yet is its own, unless it is old. */
  readonly isAlone: boolean;
  /** Aborts when this process ends. */
  readonly signal: AbortSignal;
}

/** Between looks, and how old what nobody recorded has to be where others may be about to: soon, and when whoever lives has recorded what can be. */
const LOOK_MS = { soon: 60_000, later: 15 * 60_000 };

/** Sees to it that what came for clients is recorded, whoever fetched it and ended before it was: at the start, and time and again. Never rejects. */
export async function takeOver({ resume }: Pick<Arrivals, 'resume'>, { clock, note, isAlone, signal }: TakeOverOptions): Promise<void> {
  const onUnreadable = (key: ObjectKey) => note(`${key}: what came for clients can't be read there; it stays where it is`);
  const take = async (olderThanMs: number | undefined): Promise<boolean> => {
    try {
      await resume({ olderThanMs, onUnreadable });
      return true;
    } catch (error) {
      if (!signal.aborted) note(`what came for clients before could not be taken in: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  };
  for (let waitMs = isAlone ? 0 : LOOK_MS.soon; ; ) {
    await clock.sleep(waitMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    waitMs = (await take(isAlone ? undefined : waitMs)) ? LOOK_MS.later : LOOK_MS.soon;
  }
}
