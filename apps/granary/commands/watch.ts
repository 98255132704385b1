import { resolve } from 'node:path';
import type { Config } from '@granary/config';
import { parseRepository } from '@granary/core/git';
import { WatchedBody } from '@granary/core/model';
import { addWatched, removeWatched, requestWatched, type WatchChange, type WatchedItem } from '@granary/stage-demand';
import { AppError } from '../app-error.ts';
import { formatTable } from '../output/terminal.ts';
import { type OperatorSite, type OperatorSiteOptions, withOperatorSite } from '../roles/operator-site.ts';
import type { SiteReader } from '../roles/site-reader.ts';
import { findWatchable, labelOfPath, type Watchable } from './find-watchable.ts';

/** What became of one specification. */
interface WatchOutcome {
  readonly specification: string;
  readonly change: WatchChange['type'];
  /** Whether it is in the ledger already, or waits for the process that writes it; null where nothing changed. */
  readonly state: 'recorded' | 'handed-over' | null;
}
export interface WatchReport {
  readonly outcomes: readonly WatchOutcome[];
  readonly left: Watchable['left'];
}
export interface WatchCommand extends Omit<OperatorSiteOptions, 'mayMake'> {
  readonly cwd: string;
}
export interface AddOptions {
  readonly quotaBytes?: number;
  readonly files?: readonly string[];
}

/** Everything that the specifications of a command line come to, each once. */
export async function watchableOf({ config, cwd }: Pick<WatchCommand, 'config' | 'cwd'>, given: readonly string[], options: AddOptions): Promise<Watchable> {
  const found: Watchable[] = [];
  for (const one of given) found.push(await findWatchable({ ...config, cwd }, one));
  const items = new Map(found.flatMap((one) => one.items).map((item) => [item.specification, { ...item, ...options }]));
  return { items: [...items.values()], left: found.flatMap(({ left }) => left) };
}

/** Watches packages, lockfiles, SBOMs, and those that lie in folders; accepts what was requested. */
export async function watchAdd(command: WatchCommand, { items, left }: Watchable): Promise<WatchReport> {
  const named = new Set(command.config.watch.map(({ specification }) => specification));
  const ours = items.filter(({ specification }) => !named.has(specification));
  const theirs = items.filter(({ specification }) => named.has(specification)).map(({ specification }) => outcome(specification, { type: 'of-configuration' }));
  if (ours.length === 0) return { outcomes: theirs, left };
  const outcomes = await withOperatorSite({ ...command, mayMake: true }, async (site) => {
    return await settled(site, ours, async (item: WatchedItem) => [item.specification, await addWatched(site.ports, item)]);
  });
  return { outcomes: [...outcomes, ...theirs], left };
}

/** Asks for packages. Throws AppError `usage` for what is no package URL. */
export async function watchRequest(command: WatchCommand, given: readonly string[]): Promise<WatchReport> {
  const stray = given.find((specification) => !specification.startsWith('pkg:'));
  if (stray !== undefined) throw new AppError('usage', `${stray}: not a package URL; expected one such as pkg:pypi/click, and for lockfiles granary watch add`);
  const { items } = await watchableOf(command, given, {});
  const outcomes = await withOperatorSite({ ...command, mayMake: false }, async (site) => {
    return await settled(site, items, async ({ specification }) => [specification, await requestWatched(site.ports, specification)]);
  });
  return { outcomes, left: [] };
}

/** Ends watching: by specification, or by a path; a folder stands for everything in it. Throws AppError `not-found` or `usage`. */
export async function watchRemove(command: WatchCommand, given: readonly string[]): Promise<WatchReport> {
  const { config, cwd } = command;
  const outcomes = await withOperatorSite({ ...command, mayMake: false }, async (site) => {
    const watched = [...site.ports.catalog.all('watched')]
      .filter(({ entry }) => WatchedBody.parse(entry.body).state !== 'removed')
      .map(({ entry }) => entry.subject);
    const specifications = given.flatMap((one) => {
      const label = one.startsWith('pkg:') ? one : (parseRepository(one)?.purl ?? labelOfPath({ ...config, cwd }, resolve(cwd, one)));
      const matching = watched.filter((subject) => subject === one || subject === label || subject.startsWith(`${label}/`));
      if (matching.length === 0) throw new AppError('not-found', `${one}: isn't watched; granary watch list shows what is`);
      return matching;
    });
    return await settled(site, [...new Set(specifications)], async (specification) => [specification, await removeWatched(site.ports, specification)]);
  });
  const kept = outcomes.find(({ change }) => change === 'of-configuration');
  if (kept !== undefined)
    throw new AppError('usage', `${kept.specification}: the configuration names it; take the line out of ${config.file ?? 'granary.yaml'}`);
  return { outcomes, left: [] };
}

async function settled<T>(
  site: OperatorSite,
  given: readonly T[],
  change: (one: T) => Promise<readonly [specification: string, change: WatchChange]>,
): Promise<readonly WatchOutcome[]> {
  const changes: (readonly [string, WatchChange])[] = [];
  for (const one of given) changes.push(await change(one));
  const outcomes: WatchOutcome[] = [];
  for (const [specification, came] of changes) outcomes.push(outcome(specification, came, came.type === 'changed' ? await site.settle(came.fact) : null));
  return outcomes;
}

function outcome(specification: string, { type }: Pick<WatchChange, 'type'>, state: WatchOutcome['state'] = null): WatchOutcome {
  return { specification, change: type, state };
}

/** For people. `done` says what a change means. */
export function formatWatchReport({ outcomes, left }: WatchReport, done: string, { file }: Pick<Config, 'file'>): string {
  const meaning = ({ change, state }: WatchOutcome): string => {
    switch (change) {
      case 'changed':
        return state === 'recorded' ? done : `${done}, once a process that writes the ledger takes it: granary up, or granary sequencer`;
      case 'unchanged':
        return 'as it was';
      case 'of-configuration':
        return `${file ?? 'the configuration'} names it already`;
      case 'not-watched':
        return "isn't watched";
    }
  };
  const lines = outcomes.map((one) => `${one.specification}: ${meaning(one)}`);
  return [...lines, ...left.map(({ path, why }) => `left ${path}: ${why}`)].join('\n');
}

/** One line of `watch list`. */
export interface WatchedLine {
  readonly specification: string;
  readonly state: 'active' | 'requested';
  readonly by: WatchedBody['by'];
  readonly since: string;
  readonly files: readonly string[] | null;
  readonly quotaBytes: number | null;
  /** Of the lockfile or SBOM. */
  readonly content: string | null;
}

export function listWatched({ catalog }: Pick<SiteReader, 'catalog'>): readonly WatchedLine[] {
  return [...catalog.all('watched')]
    .flatMap(({ entry }): readonly WatchedLine[] => {
      const { state, by, files = null, quotaBytes = null, content = null } = WatchedBody.parse(entry.body);
      return state === 'removed' ? [] : [{ specification: entry.subject, state, by, since: entry.at, files, quotaBytes, content }];
    })
    .toSorted((a, b) => (a.specification < b.specification ? -1 : 1));
}

export function formatWatched(lines: readonly WatchedLine[]): string {
  if (lines.length === 0) return 'nothing is watched';
  const rows = lines.map(({ specification, state, by, since, files, quotaBytes }) => [
    specification,
    state === 'active' ? 'watched' : 'requested',
    by,
    since,
    [files?.join(' '), quotaBytes === null ? undefined : `at most ${quotaBytes} bytes`].filter((part) => part !== undefined).join('; '),
  ]);
  return formatTable([['SPECIFICATION', 'STATE', 'BY', 'SINCE', 'LIMITS'], ...rows]);
}
