import type { ComputedFact, Entry, Fact, Sha256 } from '@granary/core/model';

/** Linearizable compare-and-swap for the head of a ledger: the fence against a second sequencer. */
export interface LockBackend {
  /** The signed head (a checkpoint note) last swapped in; undefined when the log was never started here. */
  load(origin: string): Promise<Uint8Array | undefined>;
  /** Durable when resolved to true; false when the stored head isn't `expected` (nothing was changed). Linearizable across processes. */
  swap(origin: string, expected: Uint8Array | undefined, next: Uint8Array): Promise<boolean>;
}

/**
 * A signed statement: its Rekor-v2-shaped leaf goes into the same batch, right before the `attested` fact. `body.leaf` is the leaf's
 * RFC 6962 hash (hexadecimal), `body.envelope` the key under `envelopes/` of the stored envelope.
 */
export interface LoggedStatement {
  readonly fact: ComputedFact & { readonly kind: 'attested' };
  /** The canonical JSON bytes of the leaf, as they were signed for. */
  readonly leaf: Uint8Array;
}

/** Where a stage hands over what it found. */
export interface FactSink {
  /**
   * Resolves when every fact is durable in `pending/`: it will not be lost, whatever dies. Those of a call and a ledger become durable in their order.
   * Calls may overlap, and then share writes; writing a fact twice is one fact.
   */
  submit(facts: readonly (Fact | LoggedStatement)[]): Promise<void>;
}

/** A fact as the catalog holds it. */
export interface CatalogFact {
  readonly origin: string;
  readonly index: number;
  readonly key: Sha256;
  readonly entry: Entry;
}

/** Which part of a ledger to look at: entries with an index below `size`; the whole when absent. */
export interface AtSize {
  readonly size?: number;
}

/**
 * Read side of the fold. Synchronous: it is an embedded database or memory. Ledger order is by time, then origin, then index.
 * A fact is superseded by the next of its ledger, kind and subject, when it is a state.
 */
export interface Catalog {
  /** Grows with every entry folded, whatever its ledger. Held in memory: what is served asks on every request whether anything is new. */
  revision(): number;
  /** Grows with every entry folded about this package, its releases or its artifacts; 0 when there is none. */
  revisionOf(packagePurl: string): number;
  byKey(key: Sha256): CatalogFact | undefined;
  /** The newest fact of a kind about a subject. */
  current(kind: string, subject: string, at?: AtSize): CatalogFact | undefined;
  /** All facts of a kind about one package (purl without version), in ledger order. State facts that were superseded are left out unless `history`. */
  ofPackage(kind: string, packagePurl: string, at?: AtSize & { readonly history?: boolean }): readonly CatalogFact[];
  /** All current facts of a kind, in ledger order; subjects of a given prefix only, if given. */
  all(kind: string, options?: AtSize & { readonly subjectPrefix?: string; readonly history?: boolean }): Iterable<CatalogFact>;
  /** Facts whose body names this artifact digest (`sha256` of `stored`, `verdict`, `attested`, …), in ledger order, superseded ones left out. */
  ofDigest(kind: string, digest: Sha256): readonly CatalogFact[];
}

export interface FoldableLeaf {
  readonly index: number;
  readonly bytes: Uint8Array;
}
export interface CatalogFold {
  /** How many leaves of this ledger were folded. */
  size(origin: string): number;
  /** Digest of the last leaf folded. Whoever finds another leaf there has another ledger, and folds again from zero. */
  lastLeaf(origin: string): Sha256 | undefined;
  /**
   * Folds the next leaves, all or none; throws CatalogError `out-of-order` unless they continue at `size(origin)`. A key that the
   * ledger holds already is counted, not folded: the first wins.
   */
  fold(origin: string, leaves: readonly FoldableLeaf[]): void;
  /** Unknown critical kinds met so far: not empty means not ready. */
  unknownCritical(): readonly string[];
  /** The ordered logical dump: the same for every fold of the same ledgers. */
  dump(): Iterable<string>;
}

export type CatalogCode = 'out-of-order' | 'malformed-leaf' | 'unusable';
/** What a fold or a look-up can't go on from; a catalog is derived, so the remedy is always to delete it and fold again. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
  readonly code: CatalogCode;
  constructor(code: CatalogCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
