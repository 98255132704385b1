import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Clock } from '@granary/contract/ports';
import { type ComputedFact, encodeEntry, type StateFact, sha256, toInstant } from '@granary/core/model';
import { EMPTY_EDGE } from '@granary/core/tlog';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';
import { openSqliteLock } from '@granary/driver-lock-sqlite';
import { openSiteKeys } from '@granary/driver-signer-key';
import { openFsStore } from '@granary/driver-store-fs';
import { checkLedger, commitBatch, type LogEnd, openFactSink, openSequencer, storeSource } from '@granary/stage-ledger';

/**
 * Entries a second, everything durable, on a real disk: appending batches of entries; and draining signed facts that lie pending, one
 * file each, with their signatures verified and the catalog folded. The peer is tessera's posix-oneshot, which puts the same entries, one
 * file each, into a log of the same format; its entries are neither signed nor parsed. Needs Go and a Go proxy the first time.
 *
 *   node bench/ledger.ts [entries]
 */
const PEER = 'github.com/transparency-dev/tessera/cmd/examples/posix-oneshot@v1.0.4';
const ENTRIES = Number(process.argv[2] ?? 20_000);
const BATCH = 4096;
/** Pending facts are slow to make: each is signed and synced on its own. */
const PENDING = Math.min(ENTRIES, 4000);
const ROUNDS = 3;
const TARGET = 10_000;

const goBin = join(import.meta.dirname, '../.toolchain/posix-oneshot-v1.0.4');
const root = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'granary-bench-ledger-'));
try {
  const rates = { append: [0], drain: [0], check: [0], peer: [0] };
  await buildPeer();
  for (let round = 0; round < ROUNDS; round++) {
    const folder = join(root, String(round));
    rates.append.push(await appendRate(join(folder, 'append')));
    const { drain, check } = await drainRates(join(folder, 'drain'));
    rates.drain.push(drain);
    rates.check.push(check);
    rates.peer.push(await peerRate(join(folder, 'peer')));
    await rm(folder, { recursive: true, force: true });
  }
  report(rates);
} finally {
  await rm(root, { recursive: true, force: true });
}

function report({ append, drain, check, peer }: Record<'append' | 'drain' | 'check' | 'peer', readonly number[]>): void {
  const [best, peerBest] = [Math.max(...append), Math.max(...peer)];
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}; ${ENTRIES} entries of ${entry(0).length} bytes, best of ${ROUNDS}\n`,
  );
  const row = (what: string, rate: number) =>
    console.log(`${what.padEnd(58)} ${Math.round(rate).toString().padStart(8)} entries/s   ${(rate / peerBest).toFixed(2)} of the peer`);
  row(`append in batches of ${BATCH}, durable`, best);
  row('drain: read, verify, append, fold, remove; durable', Math.max(...drain));
  row('ledger check: everything but blobs, from the bytes', Math.max(...check));
  row('peer: posix-oneshot v1.0.4 (read, append)', peerBest);
  console.log(`\ntarget: append at least ${TARGET} entries/s: ${best >= TARGET ? 'met' : 'missed'}`);
}

function fact(at: number): ComputedFact {
  const subject = `pkg:pypi/package-${at % 5000}@1.${at % 37}.0?file_name=package_${at % 5000}-1.${at % 37}.0-py3-none-any.whl`;
  return {
    kind: 'stored',
    subject,
    inputs: [sha256(String(at))],
    body: { sha256: sha256(`content ${at}`), sizeBytes: at, path: `packages/${at}.whl`, evidence: [{ check: 'sha256', state: 'checked' }] },
  };
}

function entry(at: number): Uint8Array {
  return encodeEntry(fact(at), 'SHA256:0123456789012345678901234567890123456789012', toInstant(1_800_000_000_000));
}

async function appendRate(folder: string): Promise<number> {
  const entries = Array.from({ length: ENTRIES }, (_, at) => entry(at));
  const { ledgers } = await openSiteKeys(join(folder, 'keys'));
  using lock = openSqliteLock({ file: join(folder, 'lock.sqlite') });
  await using store = await openFsStore(join(folder, 'store'));
  const ports = { store, lock, noteSigner: ledgers.public, origin: originOf(ledgers.public.verifierKey) };
  const began = performance.now();
  let end: LogEnd = { edge: EMPTY_EDGE, head: undefined };
  for (let at = 0; at < entries.length; at += BATCH) end = await commitBatch(ports, end, entries.slice(at, at + BATCH));
  return rate(began);
}

async function drainRates(folder: string): Promise<{ readonly drain: number; readonly check: number }> {
  const { ledgers, roles } = await openSiteKeys(join(folder, 'keys'));
  const noteSigner = ledgers.public;
  const origin = originOf(noteSigner.verifierKey);
  using lock = openSqliteLock({ file: join(folder, 'lock.sqlite') });
  using catalog = openSqliteCatalog(join(folder, 'catalog.sqlite'), { mode: 'fold' });
  await using store = await openFsStore(join(folder, 'store'));
  const clock: Clock = { now: () => toInstant(Date.now()), sleep: async () => undefined };
  const key: StateFact = { kind: 'key-added', subject: roles.sync.keyId, body: { role: 'sync', kinds: ['stored'], publicKey: roles.sync.publicKeyPem } };
  const sequencer = await openSequencer({
    store,
    lock,
    noteSigner,
    catalog,
    clock,
    origin,
    authority: { side: 'public', author: roles.sequencer.keyId, keys: [key] },
  });
  await openFactSink({ store, signer: roles.sync }).submit(Array.from({ length: PENDING }, (_, at) => fact(at)));

  let began = performance.now();
  const { sequenced } = await sequencer.drain();
  if (sequenced !== PENDING) throw new Error(`${sequenced} of ${PENDING} facts were sequenced`);
  const drain = rate(began, PENDING);

  began = performance.now();
  const { problems } = await checkLedger({
    source: storeSource(store.objects, origin),
    origin,
    verifierKey: noteSigner.verifierKey,
    objects: store.objects,
    blobs: [],
    blobCheck: 'none',
  });
  if (problems.length > 0) throw new Error(`the ledger has problems: ${problems[0]?.message}`);
  return { drain, check: rate(began, PENDING) };
}

async function peerRate(folder: string): Promise<number> {
  await mkdir(join(folder, 'entries'), { recursive: true });
  for (let at = 0; at < ENTRIES; at++) await writeFile(join(folder, 'entries', String(at)), entry(at));
  await writeFile(join(folder, 'key'), 'PRIVATE+KEY+bench.example+38b593e9+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB');
  const began = performance.now();
  const args = ['-storage_dir', join(folder, 'log'), '-entries', join(folder, 'entries/*'), '-private_key', join(folder, 'key')];
  execFileSync(join(goBin, 'posix-oneshot'), args, { stdio: ['ignore', 'ignore', 'ignore'] });
  return rate(began);
}

async function buildPeer(): Promise<void> {
  if (existsSync(join(goBin, 'posix-oneshot'))) return;
  await mkdir(goBin, { recursive: true });
  execFileSync('go', ['install', '-trimpath', '-ldflags=-s -w', PEER], { env: { ...process.env, GOBIN: goBin }, stdio: ['ignore', 'inherit', 'inherit'] });
}

function originOf(verifierKey: string): string {
  return verifierKey.split('+', 1)[0] ?? '';
}

function rate(began: number, entries = ENTRIES): number {
  return (entries / (performance.now() - began)) * 1000;
}
