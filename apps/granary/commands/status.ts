import type { Config } from '@granary/config';
import { countJobs, type JobCounts } from '@granary/driver-queue-bullmq';
import { formatTable } from '../output/terminal.ts';
import type { SiteReader } from '../roles/site-reader.ts';
import type { Outcome } from './outcome.ts';
import { type Product, readProducts } from './products.ts';
import { sortedOutcomes } from './up.ts';

export interface Status {
  /** Jobs by stage, of all processes that share the queue; undefined when it is one process's own. */
  readonly queue: Readonly<Record<string, JobCounts>> | undefined;
  readonly watched: readonly Product[];
  /** What somebody asked for, and nobody accepted yet. */
  readonly requested: readonly string[];
  readonly artifacts: readonly Outcome[];
  readonly ledgers: readonly { readonly side: string; readonly origin: string; readonly size: number }[];
  readonly verdicts: Readonly<Record<string, number>>;
}

/** What is watched and how far it came, and what is being done about the rest. */
export async function readStatus(config: Config, reader: SiteReader): Promise<Status> {
  const { catalog, ledgers } = reader;
  const { queue } = config;
  const { products, requested, wanted } = await readProducts(config, reader);
  const artifacts = sortedOutcomes(catalog, wanted, new Map());
  const verdicts = Object.fromEntries([...Map.groupBy(artifacts, ({ verdict }) => verdict)].map(([verdict, members]) => [verdict, members.length]));
  const counts = queue.type === 'redis' ? Object.fromEntries(await countJobs(queue)) : undefined;
  const sizes = ledgers.map(({ side, origin }) => ({ side, origin, size: catalog.size(origin) }));
  return { queue: counts, watched: products, requested, artifacts, verdicts, ledgers: sizes };
}

export function formatStatus(status: Status): string {
  const watched = status.watched.map((product) => [
    product.specification,
    product.complete ? 'complete' : 'not complete',
    `${product.held.files} of ${product.files} files`,
    `${product.held.bytes} bytes`,
  ]);
  const verdicts = Object.entries(status.verdicts).map(([verdict, count]) => [verdict, String(count)]);
  const ledgers = status.ledgers.map(({ side, origin, size }) => [`${side} ledger`, origin, `${size} entries`]);
  const jobs = Object.entries(status.queue ?? {}).map(([stage, { queued, running, waitingForRetry, gaveUp }]) => [
    stage,
    ...[queued, running, waitingForRetry, gaveUp].map(String),
  ]);
  return [
    formatTable([['WATCHED', 'STATE', 'HOLDS', 'SIZE'], ...watched]),
    ...status.watched.filter(({ missing }) => missing.length > 0).map(formatMissing),
    ...status.watched.filter(({ submodules }) => submodules.notHeld.length > 0 || submodules.held > 0).map(formatSubmodules),
    ...(status.requested.length === 0 ? [] : [['requested; granary watch add accepts:', ...status.requested].join('\n  ')]),
    formatTable([['VERDICT', 'FILES'], ...verdicts]),
    formatTable([['LEDGER', 'ORIGIN', 'SIZE'], ...ledgers]),
    ...(jobs.length === 0 ? [] : [formatTable([['STAGE', 'QUEUED', 'RUNNING', 'TO BE RETRIED', 'GIVEN UP'], ...jobs])]),
  ].join('\n\n');
}

/** A reason a line; `--json` has those that are left out here. */
const MAX_REASONS = 50;

function formatMissing({ specification, missing }: Product): string {
  return formatReasons(`${specification}:`, missing);
}

function formatSubmodules({ specification, submodules: { held, notHeld } }: Product): string {
  return formatReasons(`${specification}: ${held} submodules held${notHeld.length === 0 ? '' : ', and not:'}`, notHeld);
}

function formatReasons(title: string, reasons: readonly string[]): string {
  const rest = reasons.length - MAX_REASONS;
  return [title, ...reasons.slice(0, MAX_REASONS), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n  ');
}
