import { type Purl, packageOf, toPurl } from '@granary/core/model';
import type { ServePorts } from './serve-ports.ts';

/** Counting everything takes as long as reading everything: an overview may be this old. */
const MAX_AGE_MS = 10_000;

export interface Overview {
  /** Packages of which something is held, sorted. */
  readonly packages: readonly Purl[];
  readonly artifacts: number;
  /** How many files have which verdict. */
  readonly verdicts: Readonly<Record<string, number>>;
}

/** What is held in all, counted anew at most every ten seconds, and only when something was folded. */
export function openOverview({ catalog, clock }: Pick<ServePorts, 'catalog' | 'clock'>): () => Overview {
  let known: { readonly overview: Overview; readonly at: number; readonly revision: number } | undefined;
  return () => {
    const at = Date.parse(clock.now());
    const revision = catalog.revision();
    if (known === undefined || (known.revision !== revision && Math.abs(at - known.at) >= MAX_AGE_MS)) known = { overview: count(catalog), at, revision };
    return known.overview;
  };
}

function count(catalog: ServePorts['catalog']): Overview {
  const packages = new Set<Purl>();
  let artifacts = 0;
  for (const { entry } of catalog.all('stored')) {
    artifacts += 1;
    packages.add(packageOf(toPurl(entry.subject)));
  }
  return { packages: [...packages].sort(), artifacts, verdicts: countBy(catalog.all('verdict'), ({ entry }) => String(entry.body['verdict'])) };
}

export function countBy<T>(items: Iterable<T>, nameOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const name = nameOf(item);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
