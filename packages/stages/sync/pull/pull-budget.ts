import type { Clock } from '@granary/contract/ports';

/** How many bytes may still come from upstream today (UTC), because clients ask for them. */
export interface PullBudget {
  /** Sets so many bytes aside for one file; undefined when there aren't as many left. */
  reserve(sizeBytes: number): Reservation | undefined;
  readonly usedBytes: () => number;
}
export interface Reservation {
  /** So many came; false when that is more than there is. */
  take(bytes: number): boolean;
  /** What wasn't taken is free again. */
  end(): void;
}

export function openPullBudget(clock: Pick<Clock, 'now'>, maxBytesPerDay: number): PullBudget {
  let day = '';
  let used = 0;
  let reserved = 0;
  const turn = () => {
    const today = clock.now().slice(0, 10);
    if (today !== day) used = 0;
    day = today;
  };
  return {
    reserve(sizeBytes) {
      turn();
      if (used + reserved + sizeBytes > maxBytesPerDay || used >= maxBytesPerDay) return undefined;
      let left = sizeBytes;
      reserved += left;
      return {
        take(bytes) {
          turn();
          const planned = Math.min(left, bytes);
          left -= planned;
          reserved -= planned;
          used += bytes;
          return planned === bytes || used + reserved <= maxBytesPerDay;
        },
        end() {
          reserved -= left;
          left = 0;
        },
      };
    },
    usedBytes() {
      turn();
      return used;
    },
  };
}
