import type { Catalog, CatalogFact } from '@granary/contract/ports';
import { type Fact, isState, type Sha256 } from '@granary/core/model';

/** What one ledger holds so far, as far as a new fact can depend on it. */
export interface LedgerView {
  /** Key of the newest fact of the same kind and subject. */
  current(fact: Fact): Sha256 | undefined;
  /** Does the ledger hold a fact of the same kind and subject with this key? */
  holds(fact: Fact, key: Sha256): boolean;
}

/** The catalog may hold several ledgers: facts of the others don't count. */
export function catalogView(catalog: Catalog, origin: string): LedgerView {
  const own = (found: CatalogFact | undefined) => found?.origin === origin;
  const history = ({ kind, subject }: Fact) =>
    [...catalog.all(kind, { subjectPrefix: subject, history: true })].filter((found) => own(found) && found.entry.subject === subject);

  return {
    holds(fact, key) {
      const found = catalog.byKey(key);
      // The same fact may stand in another ledger too, and hide this one's.
      return found !== undefined && (own(found) || history(fact).some((one) => one.key === key));
    },
    current(fact) {
      const found = catalog.current(fact.kind, fact.subject);
      return found === undefined || own(found) ? found?.key : history(fact).at(-1)?.key;
    },
  };
}

export interface GrowingView extends LedgerView {
  add(fact: Fact, key: Sha256): void;
}

/** A view that also holds what goes into the next batch. */
export function growingView(view: LedgerView): GrowingView {
  const keys = new Set<Sha256>();
  const newest = new Map<string, Sha256>();
  const place = ({ kind, subject }: Fact) => `${kind} ${subject}`;
  return {
    holds: (fact, key) => keys.has(key) || view.holds(fact, key),
    current: (fact) => newest.get(place(fact)) ?? view.current(fact),
    add(fact, key) {
      keys.add(key);
      if (isState(fact)) newest.set(place(fact), key);
    },
  };
}
