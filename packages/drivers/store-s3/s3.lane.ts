import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { lockBackendContract, objectStoreContract, type StoreSubject } from '@granary/contract/suites';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openS3Lock, type Patience, type S3Lock, type S3Service } from './index.ts';
import { FAULTS, type Fault, seeded } from './test/fault-proxy.ts';
import { useFaultyService } from './test/faulty-service.ts';

const SEED = 20_240_229;
/** Of the requests that come to the faulty.proxy. */
const SHARE = 0.25;
/** Quick, and often: a quarter of all requests fails, and on a busy machine others take too long. */
const HASTY: Patience = { attempts: 24, firstDelayMs: 2, answerMs: 400, stallMs: 150 };

const faulty = useFaultyService();

/** The n-th request after the opening comes to nothing, undone or done, and nobody asks again: what the suite calls a step. */
const openFaulty: StoreSubject['openFaulty'] = async ({ step, effect }) => {
  const place = await faulty.service.newBucket();
  const before = faulty.proxy.requests();
  let fired = false;
  const broken = await faulty.opened({ ...place, endpoint: faulty.proxy.endpoint, patience: { ...HASTY, attempts: 1 } });
  faulty.proxy.decide(({ number }) => {
    // The first request is the look at the bucket when the store is opened.
    if (number !== before + 1 + step) return undefined;
    fired = true;
    return effect === 'lost' ? 'reset-lost' : 'reset-kept';
  });
  onTestFinished(() => faulty.proxy.decide(() => undefined));
  return { store: broken, fired: () => fired, reopen: () => faulty.opened(place) };
};

/** A bucket behind the proxy, which makes these faults until the test is over. */
async function behindFaults(faults: readonly Fault[]): Promise<S3Service> {
  faulty.proxy.decide(seeded(SEED, SHARE, faults));
  return await faulty.behindProxy(HASTY);
}

describe('the S3 store, on versitygw', () => {
  objectStoreContract({ open: async () => faulty.opened(await faulty.service.newBucket()), openFaulty });
});

describe.each(FAULTS.map((fault) => ({ fault })))('the S3 store, with $fault on a quarter of all requests', ({ fault }) => {
  objectStoreContract({ open: async () => faulty.opened(await behindFaults([fault])), openFaulty });

  it('was put to that test', () => {
    expect(faulty.proxy.made.get(fault)).toBeGreaterThan(20);
  });
});

describe('the S3 store, with all faults mixed', () => {
  objectStoreContract({ open: async () => faulty.opened(await behindFaults(FAULTS)), openFaulty });
});

async function openedLock(place: S3Service): Promise<S3Lock> {
  const lock = await openS3Lock({ ...place, probe: { rounds: 2, writers: 4 } });
  onTestFinished(() => lock.close());
  return lock;
}

describe('the lock in S3, on versitygw', () => {
  lockBackendContract({
    open: async () => {
      const place = await faulty.service.newBucket();
      return { lock: await openedLock(place), reopen: () => openedLock(place), race: (origin, processes, turns) => race({ place, origin, processes, turns }) };
    },
  });
});

describe.each([...FAULTS.map((fault) => ({ name: fault, faults: [fault] })), { name: 'all faults mixed', faults: FAULTS }])(
  'the lock in S3, with $name on a quarter of all requests',
  ({ faults }) => {
    lockBackendContract({
      open: async () => {
        const place = await behindFaults(faults);
        return {
          lock: await openedLock(place),
          reopen: () => openedLock(place),
          race: (origin, processes, turns) => race({ place, origin, processes, turns }),
        };
      },
      skips: { processes: 'a swap whose answer is lost while others go on throws, and a racer ends' },
    });
  },
);

interface Race {
  readonly place: S3Service;
  readonly origin: string;
  readonly processes: number;
  readonly turns: number;
}

async function race({ place, origin, processes, turns }: Race): Promise<number> {
  const racer = (number: number): ChildProcess =>
    spawn(process.execPath, [join(import.meta.dirname, 'test/lock-racer.ts'), JSON.stringify(place), origin, String(number), String(turns)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  const racers = Array.from({ length: processes }, (_, at) => racer(at));
  await Promise.all(racers.map(({ stdout }) => stdout && once(stdout, 'data')));
  const said = racers.map(async ({ stdout }) => (stdout ? String((await once(stdout, 'data'))[0]) : ''));
  for (const { stdin } of racers) stdin?.write('go\n');
  return (await Promise.all(said)).filter((line) => line === 'true\n').length;
}
