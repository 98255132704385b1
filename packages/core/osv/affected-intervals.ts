import type { OsvEvent, OsvRange } from './osv-record.ts';

/** From where to where versions are affected; an end that is left out is open. */
export interface AffectedInterval {
  readonly from?: string;
  readonly until?: { readonly version: string; readonly included: boolean };
}
/** How the ecosystem orders versions; undefined when one of the two is none. */
export type CompareVersions = (a: string, b: string) => number | undefined;

/**
 * What a range's events come to (OSV schema, "evaluation"): each `introduced` begins an interval, which the next `fixed` or
 * `last_affected` ends; nothing is affected from the highest `limit` on. Undefined when it names what is no version, or has no
 * `introduced`: then it can't be told what is affected.
 */
export function affectedIntervals({ events }: OsvRange, compare: CompareVersions): readonly AffectedInterval[] | undefined {
  const order = (a: string, b: string): number | undefined => (a === b ? 0 : a === '0' ? -1 : b === '0' ? 1 : compare(a, b));
  const bounds = events.filter(({ type }) => type !== 'limit');
  const limits = events.filter(({ type }) => type === 'limit').map(({ version }) => version);
  const named = [...bounds.map(({ version }) => version), ...limits.filter((version) => version !== '*')];
  if (!bounds.some(({ type }) => type === 'introduced') || named.some((version) => version !== '0' && compare(version, version) === undefined))
    return undefined;
  const limit = limits.length === 0 || limits.includes('*') ? undefined : limits.toSorted((a, b) => order(a, b) ?? 0).at(-1);
  const intervals: AffectedInterval[] = [];
  let from: string | undefined;
  for (const { type, version } of bounds.toSorted((a, b) => order(a.version, b.version) || rank(a.type) - rank(b.type))) {
    if (type === 'introduced') from ??= version;
    else if (from !== undefined) {
      intervals.push({ ...startOf(from), until: { version, included: type === 'last_affected' } });
      from = undefined;
    }
  }
  if (from !== undefined) intervals.push(startOf(from));
  return limit === undefined ? intervals : intervals.flatMap((interval) => cutAt(interval, limit, order));
}

/** At one version, a fix ends what began before it, and what begins there may end there too. */
function rank(type: OsvEvent['type']): number {
  return ['fixed', 'introduced', 'last_affected'].indexOf(type);
}

function startOf(from: string): AffectedInterval {
  return from === '0' ? {} : { from };
}

function cutAt(interval: AffectedInterval, limit: string, order: CompareVersions): readonly AffectedInterval[] {
  const { from = '0', until } = interval;
  if ((order(from, limit) ?? 0) >= 0) return [];
  return until !== undefined && (order(until.version, limit) ?? 0) < 0 ? [interval] : [{ ...interval, until: { version: limit, included: false } }];
}
