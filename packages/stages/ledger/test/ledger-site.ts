import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { memoryCatalog, memoryLock, memoryStore } from '@granary/contract/memory';
import type { Catalog, CatalogFold, Clock, FactSink, LockBackend, NoteSigner, RoleSigner, Store } from '@granary/contract/ports';
import { type ComputedFact, type Fact, type FactKind, type Instant, type RunFact, type StateFact, sha256, toInstant } from '@granary/core/model';
import { leafHash, verifierKey } from '@granary/core/tlog';
import {
  type LedgerAuthority,
  openFactSink,
  openLedgerReader,
  openSequencer,
  type Refusal,
  type Sequencer,
  type SequencerOptions,
  storeSource,
} from '../index.ts';
import { signFact } from '../pending-fact.ts';
import { type PendingObject, pendingObjects } from '../pending-object.ts';

/** A clock that stands until it is told otherwise. */
export interface TestClock extends Clock {
  set(at: number): void;
}

export function testClock(): TestClock {
  let milliseconds = 1_800_000_000_000;
  return {
    set: (at) => {
      milliseconds = at;
    },
    now: (): Instant => toInstant(milliseconds),
    async sleep(_milliseconds, signal) {
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
}

export const ORIGIN = 'log.example';

/** The same key for the same name. */
function testKey(name: string): KeyObject {
  const seed = Buffer.from(sha256(name), 'hex');
  // RFC 8410 7: a private key is its seed behind a fixed prefix.
  return createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
}

export function testNoteSigner(name: string, origin = ORIGIN): NoteSigner {
  const key = testKey(name);
  const raw = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
  return { verifierKey: verifierKey(origin, raw).text, sign: async (bytes) => new Uint8Array(sign(null, bytes, key)) };
}

export function testRoleSigner(name: string): RoleSigner {
  const key = testKey(name);
  return {
    keyId: `SHA256:${name}`,
    publicKeyPem: createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString(),
    sign: async (bytes) => new Uint8Array(sign(null, bytes, key)),
  };
}

export function roleKeyFact(signer: RoleSigner, role: string, kinds: readonly FactKind[]): StateFact {
  return { kind: 'key-added', subject: signer.keyId, body: { purpose: 'role', role, publicKey: signer.publicKeyPem, kinds: [...kinds] } };
}

export const sequencerSigner = testRoleSigner('sequencer');
export const workerSigner = testRoleSigner('worker');
const WORKER_KINDS: readonly FactKind[] = ['stored', 'observed', 'verdict', 'attested', 'polled', 'key-added', 'key-retired'];

export function testAuthority(change: Partial<LedgerAuthority> = {}): LedgerAuthority {
  const keys = [roleKeyFact(sequencerSigner, 'sequencer', ['site', 'key-added', 'key-retired']), roleKeyFact(workerSigner, 'worker', WORKER_KINDS)];
  return { side: 'public', author: sequencerSigner.keyId, keys, ...change };
}

/** All that a ledger is made of, in memory, and what the next run finds of it. */
export interface LedgerSite {
  readonly store: Store;
  readonly lock: LockBackend;
  readonly catalog: Catalog & CatalogFold;
  readonly clock: TestClock;
  readonly refused: Refusal[];
}

export function testSite(): LedgerSite {
  return { store: memoryStore(), lock: memoryLock(), catalog: memoryCatalog(), clock: testClock(), refused: [] };
}

export function open(site: LedgerSite, authority: LedgerAuthority = testAuthority(), onBatch?: SequencerOptions['onBatch']): Promise<Sequencer> {
  const onRefused = (refusal: Refusal) => void site.refused.push(refusal);
  return openSequencer({ ...site, noteSigner: testNoteSigner('ledger'), origin: ORIGIN, authority, onRefused, ...(onBatch && { onBatch }) });
}

export function sinkOf({ store }: Pick<LedgerSite, 'store'>, signer: RoleSigner = workerSigner): FactSink {
  return openFactSink({ store, signer });
}

/** A fact that lies pending alone. */
export async function signPending(signer: RoleSigner, fact: Fact, leaf?: Uint8Array): Promise<PendingObject> {
  const [object] = pendingObjects([await signFact(signer, fact, leaf)]);
  if (object === undefined) throw new Error('no object of a fact');
  return object;
}

export function readerOf({ store }: Pick<LedgerSite, 'store'>) {
  return openLedgerReader({ source: storeSource(store.objects, ORIGIN), origin: ORIGIN, verifierKey: testNoteSigner('ledger').verifierKey });
}

export function storedFact(name: string, body: ComputedFact['body'] = {}): ComputedFact {
  return {
    kind: 'stored',
    subject: `pkg:pypi/${name}@1.0?file_name=${name}-1.0-py3-none-any.whl`,
    inputs: [sha256(name)],
    body: { sizeBytes: name.length, ...body },
  };
}

export function observedFact(document: string, prev?: StateFact['prev']): StateFact {
  return { kind: 'observed', subject: 'pkg:pypi/click', body: { document: sha256(document) }, ...(prev === undefined ? {} : { prev }) };
}

export function polledFact(run: string): RunFact {
  return { kind: 'polled', subject: 'pypi', run, body: {} };
}

/** A statement as attest hands it over: canonical JSON of the shape of a Rekor v2 entry. */
export function statement(name: string): { readonly fact: ComputedFact & { readonly kind: 'attested' }; readonly leaf: Uint8Array } {
  const leaf = new TextEncoder().encode(`{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"name":"${name}"}}`);
  const body = { leaf: Buffer.from(leafHash(leaf)).toString('hex'), envelope: sha256(`envelope of ${name}`), payload: sha256(name), keyId: 'SHA256:statement' };
  return { fact: { kind: 'attested', subject: `pkg:pypi/${name}@1.0`, inputs: [sha256(name)], body }, leaf };
}
