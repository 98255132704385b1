import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pendingKeys } from '../kill/pending-facts.ts';
import { filesBelow, type SiteFolder } from '../kill/site-folder.ts';

const SIDES = ['public', 'private'] as const;
const LOOK_MS = 25;

/** Looks again and again at what is acknowledged and not sequenced yet. */
export interface PendingWatch {
  /** Fact keys. */
  readonly acknowledged: ReadonlySet<string>;
  stop(): Promise<void>;
}

export function watchPending(view: SiteFolder): PendingWatch {
  const acknowledged = new Set<string>();
  const stopping = new AbortController();
  const looking = (async () => {
    while (!stopping.signal.aborted) {
      for (const side of SIDES) for (const key of await pendingKeys(join(view.data, side, 'pending'))) acknowledged.add(key);
      await sleep(LOOK_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    acknowledged,
    async stop() {
      stopping.abort();
      await looking;
    },
  };
}

/** A fact that a ledger did not take, and why. */
export interface RefusedFact {
  readonly key: string;
  readonly code: string;
  readonly reason: string;
}

export async function refusedFacts(view: SiteFolder): Promise<readonly RefusedFact[]> {
  const refused: RefusedFact[] = [];
  for (const side of SIDES) {
    const folder = join(view.data, side, 'refused');
    for (const path of await filesBelow(folder)) {
      const { code, reason }: Record<string, unknown> = JSON.parse(await readFile(join(folder, path), 'utf8'));
      refused.push({ key: (path.split('/').at(-1) ?? '').slice(0, 64), code: String(code), reason: String(reason) });
    }
  }
  return refused;
}

/** What was begun in the buckets and not ended. */
export async function unfinished(view: SiteFolder): Promise<readonly string[]> {
  const found: string[] = [];
  for (const side of SIDES) {
    for (const path of await filesBelow(join(view.data, side))) {
      if (/^(pending|ledgers\/[^/]+\/staging)\//.test(path)) found.push(`${side}/${path}`);
    }
  }
  return found;
}
