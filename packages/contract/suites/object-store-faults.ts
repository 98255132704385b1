import { blobKey, checkpointKey, envelopeKey, type ObjectKey, pendingKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { expect, it } from 'vitest';
import type { StoreFault } from '../memory/index.ts';
import type { Store } from '../ports/index.ts';
import type { FaultyStore } from './store-subject.ts';

/** More than any driver takes for one write; a run that never stops would be a fault of its own. */
const MAX_STEPS = 100;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Write {
  readonly name: string;
  readonly key: ObjectKey;
  readonly run: (store: Store) => Promise<unknown>;
  /** What may be stored under the key after a run that failed; undefined: nothing. */
  readonly mayHold: readonly (string | undefined)[];
  readonly holds: string | undefined;
}

async function* halves(): AsyncIterable<Uint8Array> {
  yield bytes('he');
  yield bytes('llo');
}

const pending = pendingKey(sha256('fact'), sha256('content'));
const WRITES: readonly Write[] = [
  {
    name: 'an object that is put',
    key: envelopeKey(sha256('a')),
    run: ({ objects }) => objects.putOnce(envelopeKey(sha256('a')), bytes('hello')),
    mayHold: [undefined, 'hello'],
    holds: 'hello',
  },
  {
    name: 'a blob that is streamed',
    key: blobKey(sha256('hello')),
    run: ({ blobs }) => blobs.put(halves(), { maxBytes: 100, digests: { sha256: sha256('hello') } }),
    mayHold: [undefined, 'hello'],
    holds: 'hello',
  },
  {
    name: 'a checkpoint that is replaced',
    key: checkpointKey('log.example'),
    run: async ({ mutable }) => {
      await mutable.replace(checkpointKey('log.example'), bytes('old'));
      await mutable.replace(checkpointKey('log.example'), bytes('new'));
    },
    mayHold: [undefined, 'old', 'new'],
    holds: 'new',
  },
  {
    name: 'a pending fact that is put and removed',
    key: pending,
    run: async ({ objects, mutable }) => {
      await objects.putOnce(pending, bytes('fact'));
      await mutable.remove(pending);
    },
    mayHold: [undefined, 'fact'],
    holds: undefined,
  },
];

/** Each step of each write fails once, undone and done: what is left is whole or nothing, and the same write then succeeds. */
export function storeFaultContract(openFaulty: (fault: StoreFault) => Promise<FaultyStore>): void {
  for (const write of WRITES) {
    for (const effect of ['lost', 'kept'] as const) {
      it(`leaves ${write.name} whole or absent when a step is ${effect}, and the next run converges`, async () => {
        const reached = await throughAllSteps(write, effect, openFaulty);

        expect(reached).toBeGreaterThan(0);
      });
    }
  }
}

async function throughAllSteps(write: Write, effect: StoreFault['effect'], openFaulty: (fault: StoreFault) => Promise<FaultyStore>): Promise<number> {
  for (let step = 1; step <= MAX_STEPS; step += 1) {
    const faulty = await openFaulty({ step, effect });
    const outcome = await write.run(faulty.store).then(
      () => 'succeeded',
      (error: unknown) => error,
    );
    if (!faulty.fired()) return step - 1;

    // A step that only tidies up may fail unnoticed; then everything must be there.
    if (outcome === 'succeeded') await expectHeld(faulty.store, write.key, [write.holds]);
    else expect(outcome).toMatchObject({ name: 'StoreError' });

    const next = await faulty.reopen();
    await expectHeld(next, write.key, write.mayHold);
    await write.run(next);
    await expectHeld(next, write.key, [write.holds]);
    expect(await Array.fromAsync(next.objects.list(''))).toEqual(write.holds === undefined ? [] : [write.key]);
  }
  throw new Error(`${write.name}: a write of more than ${MAX_STEPS} steps`);
}

async function expectHeld({ objects }: Store, key: ObjectKey, allowed: readonly (string | undefined)[]): Promise<void> {
  const held = await objects.get(key, 1000);
  expect(allowed).toContain(held === undefined ? undefined : new TextDecoder().decode(held));
}
