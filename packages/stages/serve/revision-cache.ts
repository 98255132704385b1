import type { Catalog, Clock } from '@granary/contract/ports';
import { LRUCache } from 'lru-cache';
import { onceATurn } from './once-a-turn.ts';

/** Something derived from the catalog, and how long it can hold without a new fact. */
export interface Derived<T> {
  readonly value: T;
  readonly sizeBytes: number;
  /** Milliseconds since 1970, where time alone changes the answer. */
  readonly until?: number;
}
/** What a value is a function of: the facts of one package, the whole catalog, or a ledger size that is past. */
export type Basis = { readonly package: string } | 'catalog' | 'fixed';

/** What caches follow. */
export interface Following {
  readonly catalog: Pick<Catalog, 'revision' | 'revisionOf'>;
  readonly clock: Clock;
}

/**
 * The same, but asks for the revision once per turn of the event loop: asking costs as much as answering, where another process may
 * have folded.
 */
export function followEachTurn({ catalog, clock }: Following): Following {
  return { clock, catalog: { revision: onceATurn(() => catalog.revision()), revisionOf: (packagePurl) => catalog.revisionOf(packagePurl) } };
}

interface Entry<T> extends Derived<T> {
  /** Catalog revision at which it was last found to hold. */
  checkedAt: number;
  readonly packageRevision: number;
}

/**
 * An entry moves to the front at one use in so many: moving it takes longer than all the rest of a look-up, and what is used often moves
 * often enough.
 */
const USES_PER_MOVE = 8;

/**
 * Values that hold until a fact about their basis is folded: a new fact shows at once, and what is asked again costs a comparison of
 * two numbers. Bounded in bytes. What is under way is joined only by those who would have seen the same facts.
 */
export class RevisionCache<T> {
  readonly #catalog: Pick<Catalog, 'revision' | 'revisionOf'>;
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry<T>>;
  readonly #underWay = new Map<string, Promise<T>>();
  #uses = 0;

  constructor({ catalog, clock }: Following, maxBytes: number) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#entries = new LRUCache({ maxSize: maxBytes, maxEntrySize: maxBytes / 4, sizeCalculation: ({ sizeBytes }, key) => sizeBytes + key.length + 256 });
  }

  get(key: string, basis: Basis, derive: () => Derived<T> | Promise<Derived<T>>): T | Promise<T> {
    this.#uses += 1;
    const known = this.#uses % USES_PER_MOVE === 0 ? this.#entries.get(key) : this.#entries.peek(key);
    if (known !== undefined && this.#holds(known, basis)) return known.value;
    const revision = this.#catalog.revision();
    const packageRevision = this.#packageRevision(basis);
    const flight = `${revision} ${key}`;
    const joined = this.#underWay.get(flight);
    if (joined !== undefined) return joined;
    const keep = (derived: Derived<T>): T => {
      this.#entries.set(key, { ...derived, checkedAt: revision, packageRevision });
      return derived.value;
    };
    const derived = derive();
    if (!(derived instanceof Promise)) return keep(derived);
    const started = derived.then(keep).finally(() => this.#underWay.delete(flight));
    this.#underWay.set(flight, started);
    return started;
  }

  #holds(entry: Entry<T>, basis: Basis): boolean {
    if (entry.until !== undefined && Date.parse(this.#clock.now()) >= entry.until) return false;
    const revision = this.#catalog.revision();
    if (basis === 'fixed' || entry.checkedAt === revision) return true;
    if (entry.packageRevision !== this.#packageRevision(basis)) return false;
    entry.checkedAt = revision;
    return true;
  }

  #packageRevision(basis: Basis): number {
    if (basis === 'fixed') return 0;
    return basis === 'catalog' ? this.#catalog.revision() : this.#catalog.revisionOf(basis.package);
  }
}
