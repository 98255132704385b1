import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

const BEAT_MS = 5000;
/** An answer may take so long, and then a moment: a process that was held up itself reads what has come before it judges. */
const SILENCE_MS = 10_000;
const MOMENT_MS = 1000;

/**
 * Notices a server that vanished without a word, which TCP does after a quarter of an hour, and connects anew. (The client's own `socketTimeout`
 * outlives its connection and ends the next one.) Returns what stops it.
 */
export function heartbeat(link: Redis): () => void {
  let isWaiting = false;
  const beat = async () => {
    if (isWaiting || link.status !== 'ready') return;
    isWaiting = true;
    const answered = new AbortController();
    const silence = sleep(SILENCE_MS, undefined, { signal: answered.signal, ref: false })
      .then(() => sleep(MOMENT_MS, undefined, { signal: answered.signal, ref: false }))
      .then(
        () => link.disconnect(true),
        () => undefined,
      );
    // An error is an answer, or the connection's end.
    await Promise.race([link.ping().catch(() => undefined), silence]);
    answered.abort();
    isWaiting = false;
  };
  const timer = setInterval(() => void beat(), BEAT_MS).unref();
  return () => clearInterval(timer);
}
