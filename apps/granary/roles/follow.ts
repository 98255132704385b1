import { randomUUID } from 'node:crypto';
import type { Catalog, Clock, FactSink } from '@granary/contract/ports';
import { toPurl } from '@granary/core/model';
import type { Observer } from './observer.ts';

export interface FollowPorts {
  readonly ecosystem: string;
  readonly catalog: Catalog;
  readonly observer: Observer;
  readonly sink: FactSink;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

const LOOKS_AT_ONCE = 4;

/** Looks at every observed package again and again until the signal aborts. A whole round without a change is one `polled` fact. */
export async function followUpstream(ports: FollowPorts): Promise<void> {
  const { clock, signal } = ports;
  while (!signal.aborted) {
    const slept = await clock.sleep(ports.intervalMs, signal).then(
      () => true,
      () => false,
    );
    if (slept && !signal.aborted) await pollRound(ports);
  }
}

async function pollRound(ports: FollowPorts): Promise<void> {
  const packages = [...ports.catalog.all('observed', { subjectPrefix: `pkg:${ports.ecosystem}/` })].map(({ entry }) => toPurl(entry.subject));
  const waiting = packages.values();
  let changes = 0;
  let failures = 0;
  const lane = async () => {
    for (const packagePurl of waiting) {
      if (ports.signal.aborted) return;
      try {
        if ((await ports.observer.observe(packagePurl, ports.signal)).type === 'changed') changes += 1;
      } catch (error) {
        if (ports.signal.aborted) return;
        failures += 1;
        ports.note(`look at ${packagePurl} again: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, lane));
  if (changes > 0 || failures > 0 || packages.length === 0 || ports.signal.aborted) return;
  await ports.sink.submit([{ kind: 'polled', subject: ports.ecosystem, run: randomUUID(), body: { packages: packages.length } }]);
}
