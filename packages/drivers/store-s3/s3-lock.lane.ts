import { describe, expect, it } from 'vitest';
import { lockRefusal, openS3Lock, openS3Store, type Patience, probeS3, storeRefusal } from './index.ts';
import { startCarelessService } from './test/careless-service.ts';
import { FAULTS, type Fault, type ProxiedRequest, seeded } from './test/fault-proxy.ts';
import { useFaultyService } from './test/faulty-service.ts';

const HASTY: Patience = { attempts: 14, firstDelayMs: 2, answerMs: 1500, stallMs: 300 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const faulty = useFaultyService();

describe('the trial of a service', () => {
  it('finds versitygw safe, in 100 rounds of 16 writers at once', async () => {
    const findings = await probeS3(await faulty.service.newBucket(), { rounds: 100, writers: 16 });

    console.log(
      Object.values(findings)
        .map(({ state, detail }) => `${state}: ${detail}`)
        .join('\n'),
    );
    expect(Object.values(findings).map(({ state }) => state)).toEqual(['holds', 'holds', 'holds', 'holds', 'holds']);
    expect([lockRefusal(findings), storeRefusal(findings)]).toEqual([undefined, undefined]);
  });

  it('leaves nothing behind', async () => {
    const place = await faulty.service.newBucket();
    await probeS3(place);

    await using store = await openS3Store({ ...place, scratchDir: faulty.service.scratchDir });
    expect(await Array.fromAsync(store.objects.list(''))).toEqual([]);
  });

  it('is not fooled by lost answers', async () => {
    const place = await faulty.behindProxy(HASTY);
    faulty.proxy.decide(seeded(3, 0.25, FAULTS));

    const findings = await probeS3(place);

    expect(Object.values(findings).filter(({ state }) => state === 'broken')).toEqual([]);
  });

  it('finds out one that looks before it writes, and the lock is refused there', async () => {
    await using careless = await startCarelessService(await faulty.service.newBucket());

    const findings = await probeS3(careless.place);

    expect(findings).toMatchObject({ createOnce: { state: 'broken' }, swap: { state: 'broken' } });
    console.log(`a service that looks before it writes: ${findings.createOnce.detail}; ${findings.swap.detail}`);
    await expect(openS3Lock(careless.place)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/not safe.*use PostgreSQL.*lock: \{postgres/),
    });
  });
});

const isSwap = ({ method, path }: ProxiedRequest): boolean => method === 'PUT' && path.endsWith('/head');

/** The first swap from now on meets the fault; whatever else is asked passes. */
function spoilOne(fault: Fault): void {
  let seen = 0;
  faulty.proxy.decide((request) => {
    if (isSwap(request)) seen += 1;
    return isSwap(request) && seen === 1 ? fault : undefined;
  });
}

describe('a compare-and-swap whose answer is lost', () => {
  it.each(['reset-kept', 'error-500-kept', 'error-in-200-kept', 'reset-lost', 'silence'] as const)(
    'was ours, when it was %s and nobody else came',
    async (fault) => {
      using lock = await openS3Lock(await faulty.behindProxy(HASTY));
      await lock.swap('log.example', undefined, bytes('a'));
      spoilOne(fault);

      expect(await lock.swap('log.example', bytes('a'), bytes('b'))).toBe(true);
      expect(await lock.load('log.example')).toEqual(bytes('b'));
    },
  );

  it('was ours, when another went on from it before we asked again', async () => {
    const place = await faulty.behindProxy(HASTY);
    using lock = await openS3Lock(place);
    using other = await openS3Lock({ ...place, endpoint: faulty.service.endpoint });
    await lock.swap('log.example', undefined, bytes('a'));
    let theirs: Promise<boolean> | undefined;
    let asked = 0;
    faulty.proxy.decide((request) => {
      if (isSwap(request)) asked += 1;
      else if (asked > 0 && request.method === 'GET') theirs ??= other.swap('log.example', bytes('b'), bytes('c'));
      return isSwap(request) && asked === 1 ? 'reset-kept' : undefined;
    });

    expect(await lock.swap('log.example', bytes('a'), bytes('b'))).toBe(true);
    await theirs;
    expect(await lock.load('log.example')).toEqual(bytes('c'));
  });

  it('was not ours, when it never arrived and another moved the head from where we were', async () => {
    const place = await faulty.behindProxy({ ...HASTY, firstDelayMs: 300 });
    using lock = await openS3Lock(place);
    using other = await openS3Lock({ ...place, endpoint: faulty.service.endpoint });
    await lock.swap('log.example', undefined, bytes('a'));
    let theirs: Promise<boolean> | undefined;
    faulty.proxy.decide((request) => {
      if (!isSwap(request) || theirs !== undefined) return undefined;
      theirs = other.swap('log.example', bytes('a'), bytes('x'));
      return 'reset-lost';
    });

    expect(await lock.swap('log.example', bytes('a'), bytes('b'))).toBe(false);
    expect(await theirs).toBe(true);
    expect(await lock.load('log.example')).toEqual(bytes('x'));
  });
});

describe('a compare-and-swap whose answer is lost while others go on', () => {
  it('is not known, and said so, when others went on more than once', async () => {
    const place = await faulty.behindProxy({ ...HASTY, firstDelayMs: 600 });
    using lock = await openS3Lock(place);
    using other = await openS3Lock({ ...place, endpoint: faulty.service.endpoint });
    await lock.swap('log.example', undefined, bytes('a'));
    let theirs: Promise<boolean> | undefined;
    faulty.proxy.decide((request) => {
      if (!isSwap(request) || theirs !== undefined) return undefined;
      theirs = other.swap('log.example', bytes('a'), bytes('x')).then(() => other.swap('log.example', bytes('x'), bytes('y')));
      return 'reset-lost';
    });

    await expect(lock.swap('log.example', bytes('a'), bytes('b'))).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/not known until it is loaded/),
    });
    expect(await theirs).toBe(true);
  });
});
