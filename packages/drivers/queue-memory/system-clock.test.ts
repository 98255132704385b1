import { describe, expect, it } from 'vitest';
import { systemClock } from './index.ts';

describe('the system clock', () => {
  it('says the time of the machine', () => {
    const before = Date.now();

    const now = Date.parse(systemClock().now());

    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('sleeps as long as it is told, and wakes when the signal aborts', async () => {
    const before = performance.now();
    await systemClock().sleep(20);
    expect(performance.now() - before).toBeGreaterThan(15);

    await expect(systemClock().sleep(100 * 86_400_000, AbortSignal.timeout(10))).rejects.toThrow();
    await expect(systemClock().sleep(0, AbortSignal.abort())).rejects.toThrow();
  });
});
