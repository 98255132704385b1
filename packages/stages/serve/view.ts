import { type Instant, parseInstant } from '@granary/core/model';

/** A policy over the catalog: which of what we hold a client is shown. */
export type View =
  | { readonly type: 'all' }
  | { readonly type: 'verified' }
  /** Upstream's index as it is now; what isn't held is fetched when it is asked for. */
  | { readonly type: 'pull' }
  /** The registries as they stood then. With `size`, to the knowledge of the public ledger at that size: index bytes never change. */
  | { readonly type: 'as-of'; readonly time: Instant; readonly size?: number };

export type ParsedView = { readonly ok: true; readonly view: View; readonly rest: readonly string[] } | { readonly ok: false; readonly why: string };

/** Takes the view off the front of a decoded path; undefined when the path names none, and so means the default one. */
export function takeView([first, second, ...others]: readonly string[]): ParsedView | undefined {
  switch (first) {
    case 'all':
    case 'verified':
    case 'pull':
      return { ok: true, view: { type: first }, rest: second === undefined ? [] : [second, ...others] };
    case 'as-of':
      return asOf(second ?? '', others);
    default:
      return undefined;
  }
}

/** The path of a view, and its name in caches. */
export function viewPath(view: View): string {
  if (view.type !== 'as-of') return view.type;
  return `as-of/${view.time}${view.size === undefined ? '' : `@${view.size}`}`;
}

function asOf(moment: string, rest: readonly string[]): ParsedView {
  const [, text = '', size] = /^([^@]*)(?:@(\d{1,15}))?$/.exec(moment) ?? [];
  const time = parseInstant(text);
  if (time === undefined) return { ok: false, why: `as-of ${moment.slice(0, 60)}: expected an RFC 3339 time, such as as-of/2026-01-31T12:00:00Z` };
  return { ok: true, view: { type: 'as-of', time, ...(size === undefined ? {} : { size: Number(size) }) }, rest };
}
