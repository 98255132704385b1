import type { Config } from '@granary/config';
import { decodeClosure } from '@granary/contract/ecosystem';
import { type Artifact, WantedBody, WatchedBody } from '@granary/core/model';
import { countJobs, type JobCounts } from '@granary/driver-queue-bullmq';
import { formatTable } from '../output/terminal.ts';
import type { SiteReader } from '../roles/site-reader.ts';
import type { Outcome } from './outcome.ts';
import { sortedOutcomes } from './up.ts';

const MAX_CLOSURE_BYTES = 64 * 2 ** 20;

export interface Status {
  /** Jobs by stage, of all processes that share the queue; undefined when it is one process's own. */
  readonly queue: Readonly<Record<string, JobCounts>> | undefined;
  readonly watched: readonly { readonly specification: string; readonly artifacts: number; readonly missing: readonly string[] }[];
  readonly artifacts: readonly Outcome[];
  readonly ledgers: readonly { readonly side: string; readonly origin: string; readonly size: number }[];
  readonly verdicts: Readonly<Record<string, number>>;
}

/** What is watched and how far it came, and what is being done about the rest. */
export async function readStatus({ queue }: Pick<Config, 'queue'>, { catalog, privateStore, ledgers }: SiteReader): Promise<Status> {
  const wanted = new Map<string, Artifact>();
  const watched: Status['watched'][number][] = [];
  for (const { entry } of catalog.all('watched')) {
    if (WatchedBody.parse(entry.body).state === 'removed') continue;
    const fact = catalog.current('wanted', entry.subject);
    const bytes = fact === undefined ? undefined : await privateStore.blobs.read(WantedBody.parse(fact.entry.body).manifest, MAX_CLOSURE_BYTES);
    const closure = bytes === undefined ? undefined : decodeClosure(bytes);
    for (const artifact of closure?.artifacts ?? []) wanted.set(artifact.purl, artifact);
    watched.push({ specification: entry.subject, artifacts: closure?.artifacts.length ?? 0, missing: closure?.missing ?? [] });
  }
  const artifacts = sortedOutcomes(catalog, [...wanted.values()], new Map());
  const verdicts = Object.fromEntries([...Map.groupBy(artifacts, ({ verdict }) => verdict)].map(([verdict, members]) => [verdict, members.length]));
  const counts = queue.type === 'redis' ? Object.fromEntries(await countJobs(queue)) : undefined;
  return { queue: counts, watched, artifacts, verdicts, ledgers: ledgers.map(({ side, origin }) => ({ side, origin, size: catalog.size(origin) })) };
}

export function formatStatus(status: Status): string {
  const watched = status.watched.map(({ specification, artifacts, missing }) => [specification, `${artifacts} files`, missing.join('; ')]);
  const verdicts = Object.entries(status.verdicts).map(([verdict, count]) => [verdict, String(count)]);
  const ledgers = status.ledgers.map(({ side, origin, size }) => [`${side} ledger`, origin, `${size} entries`]);
  const jobs = Object.entries(status.queue ?? {}).map(([stage, { queued, running, waitingForRetry, gaveUp }]) => [
    stage,
    ...[queued, running, waitingForRetry, gaveUp].map(String),
  ]);
  return [
    formatTable([['WATCHED', 'HOLDS', 'MISSING'], ...watched]),
    formatTable([['VERDICT', 'FILES'], ...verdicts]),
    formatTable([['LEDGER', 'ORIGIN', 'SIZE'], ...ledgers]),
    ...(jobs.length === 0 ? [] : [formatTable([['STAGE', 'QUEUED', 'RUNNING', 'TO BE RETRIED', 'GIVEN UP'], ...jobs])]),
  ].join('\n\n');
}
