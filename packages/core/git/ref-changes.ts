import type { ObjectId } from './object-id.ts';
import type { RefListing } from './ref-listing.ts';

export type RefChange =
  | { readonly type: 'created'; readonly ref: string; readonly to: ObjectId }
  | { readonly type: 'deleted'; readonly ref: string; readonly from: ObjectId }
  | { readonly type: 'changed'; readonly ref: string; readonly from: ObjectId; readonly to: ObjectId };

/** What happened to a ref, as the ledger tells it. */
export type RefEvent =
  /** `back`: it was there once, and gone in between. */
  | { readonly event: 'created' | 'back'; readonly ref: string; readonly to: ObjectId }
  /** `advanced`: what it named is part of the history of what it names now. `forced`: it isn't. `tag-moved`: tags name one thing for ever. */
  | { readonly event: 'advanced' | 'forced' | 'tag-moved'; readonly ref: string; readonly from: ObjectId; readonly to: ObjectId }
  | { readonly event: 'deleted'; readonly ref: string; readonly from: ObjectId };

/** What only history tells. */
export interface Ancestry {
  /** Is everything that `from` names part of the history of `to`? Asked of `changed` refs that aren't tags. */
  continues(from: ObjectId, to: ObjectId): boolean;
  /** Was a ref of this name there before, and is recorded as gone? */
  wasGone(ref: string): boolean;
}

/** The refs that aren't what they were, by name. */
export function diffRefs(before: Pick<RefListing, 'refs'>, after: Pick<RefListing, 'refs'>): readonly RefChange[] {
  const changes: RefChange[] = [];
  for (const [ref, from] of before.refs) if (!after.refs.has(ref)) changes.push({ type: 'deleted', ref, from });
  for (const [ref, to] of after.refs) {
    const from = before.refs.get(ref);
    if (from === undefined) changes.push({ type: 'created', ref, to });
    else if (from !== to) changes.push({ type: 'changed', ref, from, to });
  }
  return changes.toSorted((one, other) => (one.ref < other.ref ? -1 : 1));
}

export function eventsOf(changes: readonly RefChange[], ancestry: Ancestry): readonly RefEvent[] {
  return changes.map((change) => eventOf(change, ancestry));
}

function eventOf(change: RefChange, ancestry: Ancestry): RefEvent {
  const { ref } = change;
  switch (change.type) {
    case 'created':
      return { event: ancestry.wasGone(ref) ? 'back' : 'created', ref, to: change.to };
    case 'deleted':
      return { event: 'deleted', ref, from: change.from };
    case 'changed': {
      const { from, to } = change;
      if (ref.startsWith('refs/tags/')) return { event: 'tag-moved', ref, from, to };
      return { event: ancestry.continues(from, to) ? 'advanced' : 'forced', ref, from, to };
    }
  }
}
