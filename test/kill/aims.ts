import { type Change, MOMENTS, type Moment } from './moments.ts';
import type { Aim, UpRun } from './run-up.ts';

/** In [0, 1); the same seed gives the same sequence. */
export type Chance = () => number;

/** Marsaglia's xorshift, 32 bits: spreads kills, guards nothing. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** How long each thing took in a run that nobody killed. */
export interface Timing {
  readonly wholeMs: number;
  /** In ascending order. */
  readonly tookMs: ReadonlyMap<Moment, readonly number[]>;
}

export function timingOf({ changes, durationMs }: Pick<UpRun, 'changes' | 'durationMs'>): Timing {
  const begun = new Map<string, number>();
  const tookMs = new Map<Moment, number[]>(MOMENTS.map((moment) => [moment, []]));
  for (const { moment, id, state, atMs } of changes) {
    const key = keyOf({ moment, id });
    const start = begun.get(key);
    if (state === 'started') begun.set(key, atMs);
    else if (start !== undefined) tookMs.get(moment)?.push(atMs - start);
  }
  for (const took of tookMs.values()) took.sort((a, b) => a - b);
  return { wholeMs: durationMs, tookMs };
}

/** Any instant of a run, or any of something in it, which lasts about as long as it did before. */
export function takeAim(at: Moment | 'any', { wholeMs, tookMs }: Timing, chance: Chance): Aim {
  if (at === 'any') return { at, afterMs: chance() * wholeMs };
  const took = tookMs.get(at) ?? [];
  const usual = took[Math.floor(took.length * 0.75)] ?? 0;
  return { at, nth: 1 + Math.floor(chance() * 3), afterMs: () => chance() * usual };
}

function keyOf({ moment, id }: Pick<Change, 'moment' | 'id'>): string {
  return `${moment} ${id}`;
}
