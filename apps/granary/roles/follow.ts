import { randomUUID } from 'node:crypto';
import type { Catalog, Clock, FactSink } from '@granary/contract/ports';
import { type Fact, ObservedBody, type Purl, toPurl } from '@granary/core/model';

interface Found {
  readonly type: 'unchanged' | 'changed' | 'absent';
  /** Files that upstream has other bytes of than those that are held. */
  readonly replaced?: readonly string[];
}
/** Looks once at what was observed before; a package's index, or a repository's refs. */
export interface Followed {
  observe(purl: Purl, options: { readonly signal: AbortSignal }): Promise<Found>;
}
export interface LookPorts {
  /** The type of the package URLs. */
  readonly ecosystem: string;
  readonly catalog: Catalog;
  readonly observer: Followed;
  readonly sink: FactSink;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}
export interface FollowPorts extends LookPorts {
  readonly clock: Clock;
  readonly intervalMs: number;
}

const LOOKS_AT_ONCE = 4;

/** Looks at every observed package again and again until the signal aborts. */
export async function followUpstream(ports: FollowPorts): Promise<void> {
  const { clock, signal } = ports;
  while (!signal.aborted) {
    const slept = await clock.sleep(ports.intervalMs, signal).then(
      () => true,
      () => false,
    );
    if (slept && !signal.aborted) await lookAtAll(ports);
  }
}

/** Looks once at every package that was observed before, unless only for a client. A whole round without a change is one `polled` fact. */
export async function lookAtAll(ports: LookPorts): Promise<void> {
  const packages = [...ports.catalog.all('observed', { subjectPrefix: `pkg:${ports.ecosystem}/` })].flatMap(({ entry }) =>
    ObservedBody.parse(entry.body).pulled === true ? [] : [toPurl(entry.subject)],
  );
  const waiting = packages.values();
  let changes = 0;
  let failures = 0;
  const lane = async () => {
    for (const packagePurl of waiting) {
      if (ports.signal.aborted) return;
      try {
        const { type, replaced = [] } = await ports.observer.observe(packagePurl, { signal: ports.signal });
        if (type === 'changed' || replaced.length > 0) changes += 1;
        for (const purl of replaced) ports.note(`ALARM: upstream has other bytes of ${purl} than those that are held: the first stay; granary why ${purl}`);
      } catch (error) {
        if (ports.signal.aborted) return;
        failures += 1;
        ports.note(`look at ${packagePurl} again: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, lane));
  if (changes > 0 || failures > 0 || packages.length === 0 || ports.signal.aborted) return;
  const polled: Fact = { kind: 'polled', subject: ports.ecosystem, run: randomUUID(), body: { packages: packages.length } };
  await ports.sink
    .submit([polled])
    .catch((error: unknown) => ports.note(`record a look at upstream: ${error instanceof Error ? error.message : String(error)}`));
}
