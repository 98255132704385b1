import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { memoryCatalog, memoryLock, memoryStore } from '@granary/contract/memory';
import type { Clock, Store } from '@granary/contract/ports';
import { type ComputedFact, type StateFact, sha256, toInstant } from '@granary/core/model';
import { openSiteKeys } from '@granary/driver-signer-key';
import { bringGoTool, type GoTool } from '@granary/services';
import { openFactSink, openLedgerReader, openSequencer, storeSource } from '@granary/stage-ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Go's own check of tlog-tiles logs, by the authors of tessera; built once. */
const FSCK: GoTool = { package: 'github.com/transparency-dev/tessera/cmd/fsck', version: 'v1.0.4' };
const golden = join(import.meta.dirname, 'golden');
/** Three levels of tiles, with a partial one on each. */
const BATCHES = [1, 250, 300, 5000, 60_300, 700];

let root: string;
let fsckProgram: string;
let size: number;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'granary-golden-'));
  fsckProgram = await bringGoTool(FSCK);
  size = await writeLog(join(root, 'log'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('golang.org/x/mod', () => {
  it('still makes the golden vectors that are kept', async () => {
    const made = execFileSync('go', ['run', './vectors'], { cwd: golden, encoding: 'utf8' });

    expect(made).toBe(await readFile(join(golden, 'vectors.json'), 'utf8'));
  });

  it('still answers as a checksum database as it did for the fixture that is kept', async () => {
    const made = execFileSync('go', ['run', './modules', 'record'], { cwd: golden, encoding: 'utf8' });

    expect(made).toBe(await readFile(join(golden, '../../packages/ecosystems/golang/fixtures/sumdb.json'), 'utf8'));
  });

  it('bears out the log that our sequencer made, our proofs, and every checkpoint on the way', () => {
    const files = ['-log', join(root, 'log'), '-key', join(root, 'key'), '-proofs', join(root, 'proofs.json')];

    const said = execFileSync('go', ['run', './verify', ...files], { cwd: golden, encoding: 'utf8' });

    expect(said).toContain(`verified ${size} leaves`);
    expect(said).toContain(`${BATCHES.length} earlier checkpoints`);
  });
});

describe("tessera's fsck", () => {
  // It leaves with 0 also when the log is bad, and hangs on a bad log with one worker: what counts is its last line.
  const fsck = (folder: string): string => {
    const args = ['-ui=false', '-N', '4', '-storage_url', `file://${folder}/`, '-public_key', join(root, 'key')];
    const { stdout, stderr } = spawnSync(fsckProgram, args, { encoding: 'utf8', timeout: 120_000 });
    return stdout + stderr;
  };

  it('bears out the log', () => {
    expect(fsck(join(root, 'log'))).toContain(`Successfully fsck'd log with size ${size}`);
  });

  it('does not bear out a log in which one bit was turned', async () => {
    const tile = join(root, 'log/tile/0/007');
    const whole = await readFile(tile);
    await writeFile(
      tile,
      whole.map((byte, at) => (at === 99 ? byte ^ 1 : byte)),
    );

    expect(fsck(join(root, 'log'))).not.toContain('Successfully');

    await writeFile(tile, whole);
  });
});

/** Writes a log by the sequencer, and what Go is to hold it against; resolves to its size. */
async function writeLog(folder: string): Promise<number> {
  const keys = await openSiteKeys(join(root, 'keys'));
  const noteSigner = keys.ledgers.public;
  const [origin = ''] = noteSigner.verifierKey.split('+');
  const [store, clock] = [memoryStore(), { now: () => toInstant(1_800_000_000_000), sleep: async () => undefined } satisfies Clock];
  const { sequencer: own, sync: signer } = keys.roles;
  const worker: StateFact = { kind: 'key-added', subject: signer.keyId, body: { role: 'sync', kinds: ['stored'], publicKey: signer.publicKeyPem } };
  const authority = { side: 'public', author: own.keyId, keys: [worker] } as const;
  const sequencer = await openSequencer({ store, lock: memoryLock(), noteSigner, catalog: memoryCatalog(), clock, origin, authority });
  const checkpoints: string[] = [];
  for (const [batch, count] of BATCHES.entries()) {
    await openFactSink({ store, signer }).submit(Array.from({ length: count }, (_, at) => fact(`${batch}-${at}`)));
    checkpoints.push(new TextDecoder().decode((await sequencer.drain()).checkpoint.note));
  }
  await writeFile(join(root, 'key'), `${noteSigner.verifierKey}\n`);
  await writeFile(join(root, 'proofs.json'), JSON.stringify({ checkpoints, ...(await proofsOf(store, origin, noteSigner.verifierKey)) }));
  await copyLog(store, origin, folder);
  return BATCHES.reduce((total, count) => total + count, 2);
}

function fact(name: string): ComputedFact {
  return { kind: 'stored', subject: `pkg:pypi/p${name}@1.0`, inputs: [sha256(name)], body: { sizeBytes: name.length } };
}

async function proofsOf(store: Store, origin: string, verifierKey: string) {
  const reader = openLedgerReader({ source: storeSource(store.objects, origin), origin, verifierKey });
  const tree = await reader.checkpoint();
  if (tree === undefined) throw new Error('nothing was published');
  const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString('hex'));
  const indexes = [0, 1, 255, 256, 65_535, 65_536, 66_000, tree.size - 1];
  const sizes = [1, 2, 3, 255, 256, 257, 65_536, 65_537, tree.size];
  return {
    inclusion: await Promise.all(indexes.map(async (index) => ({ index, proof: hex(await reader.inclusionProof(tree, index)) }))),
    consistency: await Promise.all(sizes.map(async (old) => ({ old, proof: hex((await reader.consistencyProof(tree, old)).proof) }))),
  };
}

async function copyLog({ objects }: Store, origin: string, folder: string): Promise<void> {
  const prefix = `ledgers/${origin}/`;
  for await (const key of objects.list(prefix)) {
    const path = join(folder, key.slice(prefix.length));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, (await objects.get(key, 1e8)) ?? new Uint8Array());
  }
}
