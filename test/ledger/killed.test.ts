import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { memoryCatalog } from '@granary/contract/memory';
import { factKey, type Sha256 } from '@granary/core/model';
import { catchUp, checkLedger, openLedgerReader, refuseFork, type SignedCheckpoint, storeSource } from '@granary/stage-ledger';
import { expect, it, onTestFinished } from 'vitest';
import { ledgerOnDisk, numbered } from './on-disk.ts';

const KILLS = 6;

/** Runs a writer, kills it some time after its first fact, and resolves to the numbers it acknowledged. */
async function killedWriter(folder: string, first: number, afterMs: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  await once(child.stdout, 'data');
  await setTimeout(afterMs);
  child.kill('SIGKILL');
  await ended;
  return said.slice(0, said.lastIndexOf('\n')).split('\n').map(Number);
}

async function publishedIn(folder: string): Promise<SignedCheckpoint | undefined> {
  await using ledger = await ledgerOnDisk(folder);
  return openLedgerReader({ ...ledger, source: storeSource(ledger.store.objects, ledger.origin) }).checkpoint();
}

it('loses and doubles no acknowledged fact when it is killed from outside at any moment', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'granary-killed-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const acknowledged: number[] = [];
  const seen: SignedCheckpoint[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    acknowledged.push(...(await killedWriter(folder, kill * 100_000, 37 + kill * 53)));
    const published = await publishedIn(folder);
    if (published !== undefined) seen.push(published);
  }

  await using ledger = await ledgerOnDisk(folder);
  const { checkpoint } = await (await ledger.open()).drain();

  const source = storeSource(ledger.store.objects, ledger.origin);
  const reader = openLedgerReader({ ...ledger, source });
  for (const older of seen) await refuseFork(reader, older, checkpoint);
  const { problems, entries } = await checkLedger({ ...ledger, source, objects: ledger.store.objects, blobs: [], blobCheck: 'none' });
  expect(problems).toEqual([]);
  const missing = acknowledged.filter((at) => ledger.catalog.byKey(keyOf(at)) === undefined);
  expect(missing).toEqual([]);
  expect(entries['stored']).toBeGreaterThanOrEqual(acknowledged.length);
  expect(await Array.fromAsync(ledger.store.objects.list('pending/'))).toEqual([]);
  expect(await Array.fromAsync(ledger.store.objects.list('refused/'))).toEqual([]);
  const afresh = memoryCatalog();
  await catchUp(reader, afresh, checkpoint);
  expect(afresh.size(ledger.origin)).toBe(ledger.catalog.size(ledger.origin));
});

function keyOf(at: number): Sha256 {
  return factKey(numbered(at));
}
