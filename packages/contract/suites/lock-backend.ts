import { describe, expect, it } from 'vitest';
import type { LockBackend } from '../ports/index.ts';

export interface LockSubject {
  /** A backend over data of its own, where no log was ever started, at each call. */
  readonly open: () => Promise<OpenLock>;
  /** What the backend can't show, with the reason. */
  readonly skips?: { readonly reopen?: string; readonly processes?: string };
}
export interface OpenLock {
  readonly lock: LockBackend;
  /** Another handle on the same data, as the next run has it. */
  reopen(): Promise<LockBackend>;
  /**
   * Starts that many processes that all swap `undefined` for their own number (in decimal) at once, then each of them, `turns` times,
   * loads the head and swaps it for itself plus one byte until it wins. Resolves to how many first swaps won.
   */
  race(origin: string, processes: number, turns: number): Promise<number>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const ORIGIN = 'log.example';

/** What every LockBackend must do. */
export function lockBackendContract({ open, skips = {} }: LockSubject): void {
  describe('one handle', () => {
    it('has no head before the first swap', async () => {
      const { lock } = await open();

      expect(await lock.load(ORIGIN)).toBeUndefined();
    });

    it('swaps when the head is what was expected, and only then', async () => {
      const { lock } = await open();

      expect(await lock.swap(ORIGIN, bytes('none yet'), bytes('a'))).toBe(false);
      expect(await lock.load(ORIGIN)).toBeUndefined();
      expect(await lock.swap(ORIGIN, undefined, bytes('a'))).toBe(true);
      expect(await lock.swap(ORIGIN, undefined, bytes('b'))).toBe(false);
      expect(await lock.swap(ORIGIN, bytes('b'), bytes('c'))).toBe(false);
      expect(await lock.load(ORIGIN)).toEqual(bytes('a'));
      expect(await lock.swap(ORIGIN, bytes('a'), bytes('b'))).toBe(true);
      expect(await lock.load(ORIGIN)).toEqual(bytes('b'));
    });

    it('keeps any bytes as they are', async () => {
      const { lock } = await open();
      const every = Uint8Array.from({ length: 4096 }, (_, at) => at % 256);

      expect(await lock.swap(ORIGIN, undefined, every)).toBe(true);
      expect(await lock.load(ORIGIN)).toEqual(every);
      expect(await lock.swap(ORIGIN, every, new Uint8Array())).toBe(true);
      expect(await lock.load(ORIGIN)).toEqual(new Uint8Array());
      expect(await lock.swap(ORIGIN, undefined, bytes('a'))).toBe(false);
    });

    it('keeps logs apart', async () => {
      const { lock } = await open();
      await lock.swap(ORIGIN, undefined, bytes('a'));

      expect(await lock.load('other.example')).toBeUndefined();
      expect(await lock.swap('other.example', undefined, bytes('b'))).toBe(true);
      expect(await lock.load(ORIGIN)).toEqual(bytes('a'));
    });

    it('lets exactly one of many racing swaps win', async () => {
      const { lock } = await open();

      for (let round = 0; round < 5; round++) {
        const expected = await lock.load(ORIGIN);
        const won = await Promise.all(Array.from({ length: 20 }, (_, at) => lock.swap(ORIGIN, expected, bytes(`${round}/${at}`))));

        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await lock.load(ORIGIN)).toEqual(bytes(`${round}/${won.indexOf(true)}`));
      }
    });
  });

  describe('several handles', () => {
    it.skipIf(skips.reopen)(because('sees through another handle what was swapped', skips.reopen), async () => {
      const { lock, reopen } = await open();
      await lock.swap(ORIGIN, undefined, bytes('a'));

      const other = await reopen();

      expect(await other.load(ORIGIN)).toEqual(bytes('a'));
      expect(await other.swap(ORIGIN, bytes('a'), bytes('b'))).toBe(true);
      expect(await lock.swap(ORIGIN, bytes('a'), bytes('c'))).toBe(false);
      expect(await lock.load(ORIGIN)).toEqual(bytes('b'));
    });

    it.skipIf(skips.processes)(because('lets exactly one of several processes win, and loses no turn of any', skips.processes), async () => {
      const { lock, race } = await open();

      expect(await race(ORIGIN, 3, 20)).toBe(1);

      // One byte for the first swap that won, and one for each turn that was won.
      expect(await lock.load(ORIGIN)).toHaveLength(1 + 3 * 20);
    });
  });
}

function because(sentence: string, reason: string | undefined): string {
  return reason === undefined ? sentence : `${sentence} (skipped: ${reason})`;
}
