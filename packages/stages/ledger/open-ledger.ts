import type { Catalog, CatalogFold, Clock, FoldableLeaf } from '@granary/contract/ports';
import { pendingKey } from '@granary/core/layout';
import { decodeLeaf, factKey, type Instant, type StateFact, sha256, toInstant } from '@granary/core/model';
import { TILE_WIDTH } from '@granary/core/tlog';
import type { AdmissionRules } from './admit.ts';
import { commitBatch, confirmHead, type LedgerPorts } from './commit-batch.ts';
import { type Candidate, type Decision, decideBatch } from './decide-batch.ts';
import { catchUp } from './follow.ts';
import { type LedgerAuthority, missingKeys, siteFact } from './genesis.ts';
import { type KeyRegistry, keyRegistry } from './key-registry.ts';
import { LedgerError } from './ledger-error.ts';
import { openLedgerReader, type SignedCheckpoint } from './ledger-reader.ts';
import { storeSource } from './ledger-source.ts';
import { catalogView } from './ledger-view.ts';
import { discardStaging, recover } from './recover.ts';

export interface OpenLedgerOptions extends LedgerPorts {
  readonly catalog: Catalog & CatalogFold;
  readonly clock: Clock;
  readonly authority: LedgerAuthority;
  /** Told when a batch is about to be written, and when it is published and folded. Must not throw. */
  readonly onBatch?: (batch: { readonly origin: string; readonly entries: number; readonly state: 'started' | 'ended' }) => void;
}
/** A ledger that was put in order, its catalog up to date, and where it ends in memory. After an error it must be opened anew. */
export interface OpenLedger {
  readonly rules: AdmissionRules;
  checkpoint(): SignedCheckpoint;
  /** Throws LedgerError `lost-lock` when another sequencer went on: what was decided here doesn't count. */
  confirm(): Promise<void>;
  /** Decides about candidates as of now. */
  decide(candidates: readonly Candidate[]): Decision;
  /** Makes what was accepted part of the log, publishes and folds it. Calls must not overlap. */
  append(decision: Decision): Promise<void>;
}

/** Recovers the ledger, or makes it with its first entries; registers the keys that it lacks. Throws LedgerError. */
export async function openLedger(options: OpenLedgerOptions): Promise<OpenLedger> {
  const { store, origin, noteSigner, catalog, authority } = options;
  let end = await recover(options);
  const reader = openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey: noteSigner.verifierKey });
  const tree = end.head ?? { size: 0, root: new Uint8Array() };
  await catchUp(reader, catalog, tree);
  let lastAt = await lastTime((start) => reader.leaves(tree, start, tree.size), tree.size);
  const registry = learned(catalog, origin, tree.size === 0 ? authority.author : undefined);
  refuseOtherSide(catalog, options);
  const rules = { side: authority.side, registry, view: catalogView(catalog, origin) };

  const ledger: OpenLedger = {
    rules,
    checkpoint() {
      if (end.head === undefined) throw new LedgerError('inconsistent', `ledger ${origin}: has no entry`);
      return end.head;
    },
    confirm: () => confirmHead(options, ledger.checkpoint()),
    decide(candidates) {
      // A clock may go backwards, the log may not.
      const now = options.clock.now();
      if (now > lastAt) lastAt = now;
      return decideBatch(candidates, rules, lastAt);
    },
    async append({ accepted }) {
      const leaves = accepted.flatMap((one) => one.leaves);
      if (leaves.length === 0) return;
      const from = end.edge.size;
      const batch = { origin, entries: leaves.length };
      options.onBatch?.({ ...batch, state: 'started' });
      end = await commitBatch(options, end, leaves);
      foldNew(
        catalog,
        origin,
        leaves.map((bytes, at) => ({ index: from + at, bytes })),
      );
      if (end.head !== undefined) await discardStaging(options, end.head);
      options.onBatch?.({ ...batch, state: 'ended' });
    },
  };
  await appendOwn(ledger, options, tree.size);
  return ledger;
}

/** Facts of the private side must never reach a log that is published. */
function refuseOtherSide(catalog: Catalog, { origin, authority }: OpenLedgerOptions): void {
  const site = [...catalog.all('site', { history: true })].find((fact) => fact.origin === origin);
  if (site === undefined || site.entry.body['ledger'] === authority.side) return;
  throw new LedgerError('bad-request', `ledger ${origin}: was begun as the ${String(site.entry.body['ledger'])} ledger, not as the ${authority.side} one`);
}

/** The sequencer's own facts: who runs the log, and the keys that may write to it. */
async function appendOwn(ledger: OpenLedger, { authority, origin, noteSigner }: OpenLedgerOptions, size: number): Promise<void> {
  const site = size === 0 ? [siteFact(authority, origin, noteSigner.verifierKey)] : [];
  const facts = [...site, ...missingKeys(authority, ledger.rules.registry)];
  const decision = ledger.decide(facts.map((fact) => ownCandidate(fact, authority.author)));
  const [refused] = decision.refused;
  if (refused !== undefined) throw new LedgerError('bad-request', `ledger ${origin}: its own keys can't be registered: ${refused.reason}`);
  await ledger.append(decision);
}

function ownCandidate(fact: StateFact, author: string): Candidate {
  const key = factKey(fact);
  return { name: pendingKey(key, sha256('')), key, line: new Uint8Array(), pending: { author, fact, signature: new Uint8Array() } };
}

function learned(catalog: Catalog, origin: string, author: string | undefined): KeyRegistry {
  const registry = keyRegistry(author);
  const facts = ['site', 'key-added', 'key-retired'].flatMap((kind) => [...catalog.all(kind, { history: true })]);
  for (const { entry } of facts.filter((fact) => fact.origin === origin).sort((a, b) => a.index - b.index)) registry.learn(entry);
  return registry;
}

/** The time of the last entry that says one; older than any when there is none. */
async function lastTime(leavesFrom: (start: number) => AsyncIterable<FoldableLeaf>, size: number): Promise<Instant> {
  for (let bundle = Math.ceil(size / TILE_WIDTH) - 1; bundle >= 0; bundle--) {
    const times: Instant[] = [];
    for await (const { index, bytes } of leavesFrom(bundle * TILE_WIDTH)) {
      const leaf = decodeLeaf(bytes);
      if (leaf.type === 'entry' && index < (bundle + 1) * TILE_WIDTH) times.push(leaf.entry.at);
    }
    const last = times.at(-1);
    if (last !== undefined) return last;
  }
  return toInstant(0);
}

/** Somebody else who follows the ledger may have folded a part already. */
function foldNew(catalog: CatalogFold, origin: string, leaves: readonly FoldableLeaf[]): void {
  const folded = catalog.size(origin);
  const rest = leaves.filter(({ index }) => index >= folded);
  if (rest.length > 0) catalog.fold(origin, rest);
}
