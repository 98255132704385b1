import type { Stage } from '@granary/contract/ports';
import type { QueueKeys } from './queue-keys.ts';
import type { RedisLinks } from './redis-links.ts';

/** So long after its process died a job is free again. */
export const HELD_MS = 30_000;
const RENEW_MS = 10_000;

interface HungHandler {
  readonly stage: Stage;
  readonly key: string;
  /** Resolves when the handler returns, however late. */
  readonly returned: Promise<void>;
}

/** As long as a handler that has passed its time hangs, nobody starts its job. */
export interface HungHandlers {
  /** Resolves when every worker knows it; at once when the handler has returned. */
  hold(handler: HungHandler): Promise<void>;
  /** Whether a handler of this job still hangs, in whatever process. */
  isHeld(key: string): Promise<boolean>;
}

export interface HungHandlersParts {
  readonly links: RedisLinks;
  readonly keys: QueueKeys;
  /** Runs a job that waits although its time has come. */
  readonly promote: (stage: Stage, key: string) => Promise<void>;
}

export function hungHandlers({ links, keys, promote }: HungHandlersParts, onError: (error: unknown) => void): HungHandlers {
  const renew = (key: string) => links.working.set(keys.held(key), '1', 'PX', HELD_MS);
  const release = async ({ stage, key, returned }: HungHandler) => {
    const timer = setInterval(() => void renew(key).catch(() => undefined), RENEW_MS).unref();
    await returned;
    clearInterval(timer);
    await links.working.del(keys.held(key));
    await promote(stage, key);
  };
  return {
    async hold(handler) {
      const hasReturned = await Promise.race([handler.returned.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
      if (hasReturned) return;
      await renew(handler.key);
      release(handler).catch(onError);
    },
    isHeld: async (key) => (await links.working.exists(keys.held(key))) === 1,
  };
}
