import { createHash } from 'node:crypto';
import { memoryStore } from '@granary/contract/memory';
import { arrivalKey } from '@granary/core/layout';
import { sha256, toPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { BOX, BOXES, CONTENT, openPullSite, PUBLISHED, type PullSiteOptions, SMALL, STATEMENT } from './test/pull-site.ts';

describe.each([
  ['that is large, in the store', CONTENT],
  ['that is small, in its note', SMALL],
])('a file %s', (_, content) => {
  it('gives a client what came by its release once a note of it is durable, and takes it in by the document of its package later', async () => {
    const site = await openArrived({ content });
    const before = [await site.notes(), site.stored(), site.arrivals.waiting()];

    await site.takeIn();

    expect(before).toEqual([1, [], 1]);
    expect([await site.notes(), site.stored(), site.publishedAt(), site.arrivals.waiting()]).toEqual([0, [BOX], [PUBLISHED], 0]);
    expect(site.requests()).toBe(1);
  });

  it.each([
    ['other bytes', { digests: { sha256: sha256('other bytes') } }],
    ['a digest that the bytes have not', { digests: { sha1: sha1(content), sha512: sha512(Buffer.from('other bytes')) } }],
  ])('takes it in by what was said of its release where its package states %s by then', async (_, listed) => {
    const site = await openArrived({ content, digests: { sha1: sha1(content) } });
    site.list({ ...listed, publishedAt: PUBLISHED });

    await site.takeIn();

    expect([site.stored(), site.publishedAt(), await site.notes(), site.failures(), site.requests()]).toEqual([[BOX], [undefined], 0, 0, 1]);
  });

  it('reads it again where its package states digests that nobody looked for', async () => {
    const site = await openArrived({ content, digests: { sha1: sha1(content) } });
    site.list({ digests: { sha1: sha1(content), sha512: sha512(content) }, publishedAt: PUBLISHED });

    await site.takeIn();

    expect([site.stored(), site.publishedAt(), site.requests()]).toEqual([[BOX], [PUBLISHED], 1]);
  });

  it('waits ten minutes for an upstream that does not tell of the package, and takes it in by its release then', async () => {
    const site = await openArrived({ content, check: 'asks-upstream' });
    site.hush();
    await site.takeIn();
    await site.shown(BOXES);
    await site.clock.advance(599_000);
    const before = [site.stored(), await site.notes(), site.arrivals.waiting(), site.failures()];

    await site.clock.advance(300_000);

    expect([before, site.stored(), site.publishedAt(), await site.notes()]).toEqual([[[], 1, 1, 0], [BOX], [undefined], 0]);
  });

  it('takes it in by the document of its package as soon as that can be had', async () => {
    const site = await openArrived({ content });
    site.hush();
    await site.takeIn();
    site.list();

    await site.clock.advance(10_000);

    expect([site.stored(), site.publishedAt(), await site.notes()]).toEqual([[BOX], [PUBLISHED], 0]);
  });

  it('takes nothing in while the process ends', async () => {
    const site = await openArrived({ content });
    const looked = Promise.withResolvers<void>();
    site.hold(looked.promise);
    void site.takeIn();

    const ended = site.end();
    looked.resolve();
    await ended;

    expect([site.stored(), await site.notes(), site.failures()]).toEqual([[], 1, 0]);
  });

  it('leaves the first bytes where others were recorded under its name meanwhile', async () => {
    const site = await openArrived({ content });
    await site.keepOther();

    await site.takeIn();

    expect([site.stored(), await site.notes(), site.failures()]).toEqual([[BOX], 0, 1]);
  });

  it('gives nobody other bytes under its name', async () => {
    const site = await openArrived({ content });

    await expect(Array.fromAsync(site.fetchOther().bytes())).rejects.toMatchObject({ code: 'refused' });

    expect(site.requests()).toBe(1);
  });

  it('fetches once what is asked for again before it is taken in', async () => {
    const site = await openArrived({ content });

    const again = Buffer.concat(await Array.fromAsync(site.fetchStated().bytes()));

    expect([again.equals(content), site.requests(), await site.notes()]).toEqual([true, 1, 1]);
  });

  it('takes in at once what another view is asked for', async () => {
    const site = await openArrived({ content });

    await site.shown(BOXES);

    expect([site.stored(), await site.notes()]).toEqual([[BOX], 0]);
  });

  it('takes in at once, and before a client has it, what brought more that clients ask for next', async () => {
    const site = openPullSite({ content, isListed: false, check: 'brings-more' });
    site.send(content);
    site.list();

    const reading = Array.fromAsync(site.fetchStated().bytes()).then(() => site.stored());

    expect(await reading).toContain(BOX);
  });

  it.each([
    ['the ecosystem refuses', { check: 'refuses' }, content],
    ['has other bytes than its release says', {}, Buffer.alloc(content.length, 'x')],
  ] as const)('gives nobody all of a file that %s, and keeps no note of it', async (_, options, sent) => {
    const site = openPullSite({ content, ...options, isListed: false });
    site.send(sent);

    await expect(Array.fromAsync(site.fetchStated().bytes())).rejects.toMatchObject({ code: 'refused' });

    expect([await site.notes(), site.arrivals.waiting()]).toEqual([0, 0]);
  });

  it.each(['ended', 'was killed'])('takes in after the next start what a process left behind that %s, without fetching it again', async (how) => {
    const before = await openArrived({ content });
    if (how === 'ended') await before.end();

    const next = openPullSite({ content, isListed: false, store: before.store });
    next.list();
    await next.arrivals.resume(ALL);
    const seen = [next.shown(BOXES), next.shown(toPurl('pkg:tiny/lid'))];
    await seen[0];

    expect(seen).toEqual([expect.any(Promise), undefined]);
    expect([next.stored(), next.publishedAt(), await next.notes(), next.requests()]).toEqual([[BOX], [PUBLISHED], 0, 0]);
  });

  it('gives what an earlier process left behind to whoever asks for it meanwhile, and no other bytes, without upstream', async () => {
    const before = await openArrived({ content });
    const next = openPullSite({ content, isListed: false, store: before.store });
    next.hush();
    await next.arrivals.resume(ALL);

    const given = Buffer.concat(await Array.fromAsync(next.fetch().bytes()));

    expect([given.equals(content), next.arrivals.at(next.artifact.path)?.artifact, next.requests()]).toEqual([true, next.artifact, 0]);
    await expect(Array.fromAsync(next.fetchOther().bytes())).rejects.toMatchObject({ code: 'refused' });
  });

  it('ends with the process while a note is being written, and leaves it to the next', async () => {
    const [written, store] = [Promise.withResolvers<void>(), memoryStore()];
    const objects = {
      ...store.objects,
      putOnce: (...all: Parameters<typeof store.objects.putOnce>) => written.promise.then(() => store.objects.putOnce(...all)),
    };
    const site = openPullSite({ content, isListed: false, store: { ...store, objects } });
    site.send(content);
    const reading = Array.fromAsync(site.fetchStated().bytes());
    await site.clock.advance(0);

    const ended = site.end();
    await site.clock.advance(0);
    written.resolve();
    await Promise.all([ended, reading]);

    expect([site.arrivals.waiting(), await site.notes()]).toEqual([0, 1]);
  });

  it('waits where the document of its package does not have it yet', async () => {
    const site = await openArrived({ content });
    site.listNothing();
    await site.takeIn();
    const early = [site.stored(), await site.notes()];

    site.list();
    await site.clock.advance(10_000);

    expect([early, site.publishedAt(), await site.notes(), site.failures()]).toEqual([[[], 1], [PUBLISHED], 0, 0]);
  });

  it('takes in nothing that is on record', async () => {
    const site = await openArrived({ content });
    await site.keepOther(sha256(content));

    await site.takeIn();

    expect([site.publishedAt(), await site.notes(), site.failures()]).toEqual([[undefined], 0, 0]);
  });

  it('leaves to other processes what is new', async () => {
    const { store } = await openArrived({ content });
    const other = openPullSite({ content, isListed: false, store });
    other.list();

    await other.arrivals.resume({ ...ALL, olderThanMs: 60_000 });
    const early = other.arrivals.waiting();
    await other.clock.advance(60_000);
    await other.arrivals.resume({ ...ALL, olderThanMs: 60_000 });
    await other.shown(BOXES);

    expect([early, other.stored()]).toEqual([0, [BOX]]);
  });

  it('says what could not be taken in, and tries again', async () => {
    const site = await openArrived({ content });
    site.refuseFacts(true);
    await site.takeIn();
    await site.clock.advance(9999);
    const failed = [site.failures(), site.stored(), await site.notes(), site.arrivals.waiting()];

    site.refuseFacts(false);
    await site.clock.advance(1);

    expect([failed, site.stored(), await site.notes(), site.arrivals.waiting()]).toEqual([[1, [], 1, 1], [BOX], 0, 0]);
  });
});

it('puts a small file down when it is taken in, and gives it from memory before', async () => {
  const site = await openArrived({ content: SMALL });
  await site.clock.advance(3000);
  const early = [await site.blobs.size(sha256(SMALL)), await bytesOf(site.fetch())];

  await site.takeIn();

  expect(early).toEqual([undefined, SMALL]);
  expect([await site.blobs.size(sha256(SMALL)), site.stored(), site.requests()]).toEqual([SMALL.length, [BOX], 1]);
});

it('puts a small file down while nothing can be heard of upstream, too', async () => {
  const site = await openArrived({ content: SMALL });
  site.hush();

  await site.takeIn();

  expect([await site.blobs.size(sha256(SMALL)), site.stored(), await bytesOf(site.fetch())]).toEqual([SMALL.length, [], SMALL]);
});

it('gives a small file from memory until it can be put down', async () => {
  const store = memoryStore();
  let isFull = true;
  const put: typeof store.blobs.put = async (source, expected) => {
    if (isFull) throw new Error('disk full');
    return await store.blobs.put(source, expected);
  };
  const site = await openArrived({ content: SMALL, store: { ...store, blobs: { ...store.blobs, put } } });
  await site.takeIn();
  const full = [site.failures(), site.stored(), await bytesOf(site.fetch())];

  isFull = false;
  await site.clock.advance(10_000);

  expect([full, site.stored(), await site.blobs.size(sha256(SMALL)), await site.notes()]).toEqual([[1, [], SMALL], [BOX], SMALL.length, 0]);
});

it('holds no more than 32 MiB of small files', async () => {
  const site = openPullSite({ isListed: false });
  await keepMany(site);
  const held = site.arrivals.holdsSmall();

  site.list();
  await site.takeIn();

  expect([held, site.arrivals.holdsSmall(), await site.blobs.size(MEBIBYTE.blob.sha256)]).toEqual([false, true, 2 ** 20]);
});

it('neither puts down nor looks up again what is on record: its note stays while others share the object', async () => {
  const { store } = await openArrived({ content: SMALL });
  const next = openPullSite({ isListed: false, store });
  await next.keepOther(sha256(SMALL));
  next.hush();

  await next.arrivals.resume(ALL);
  await next.clock.advance(0);

  expect([next.arrivals.waiting(), await store.blobs.size(sha256(SMALL)), await next.notes()]).toEqual([0, undefined, 0]);
});

it('says where something can not be read that was left behind, and takes in the rest', async () => {
  const { store } = await openArrived({ content: SMALL });
  const junk = Buffer.from('{}\n');
  await store.objects.putOnce(arrivalKey('tiny', sha256(junk)), junk);
  const next = openPullSite({ isListed: false, content: SMALL, store });
  next.list();
  const unreadable: string[] = [];

  await next.arrivals.resume({ onUnreadable: (key) => unreadable.push(key) });
  await next.shown(BOXES);

  expect([unreadable, next.stored()]).toEqual([[arrivalKey('tiny', sha256(junk))], [BOX]]);
});

it('waits for a silent upstream from when it was found, however long before that it came', async () => {
  const { store } = await openArrived({ content: SMALL });
  const next = openPullSite({ isListed: false, content: SMALL, store });
  await next.clock.advance(3_600_000);
  next.hush();
  await next.arrivals.resume(ALL);
  await next.clock.advance(0);
  const silent = next.stored();

  next.list();
  await next.clock.advance(10_000);

  expect([silent, next.stored(), next.publishedAt()]).toEqual([[], [BOX], [PUBLISHED]]);
});

it('puts down what was left behind beyond what memory holds, whatever upstream does, and as soon as that is possible', async () => {
  const { store } = openPullSite({ isListed: false });
  const site = openPullSite({ isListed: false, store });
  await keepMany(site);
  let isFull = true;
  const put: typeof store.blobs.put = async (source, expected) => {
    if (isFull) throw new Error('disk full');
    return await store.blobs.put(source, expected);
  };
  const next = openPullSite({ isListed: false, store: { ...store, blobs: { ...store.blobs, put } } });
  next.hold(new Promise(() => undefined));
  const resumed = next.arrivals.resume(ALL);
  await expect.poll(() => next.failures()).toBeGreaterThan(0);
  const full = [next.arrivals.waiting(), next.arrivals.holdsSmall()];

  isFull = false;
  await next.clock.advance(10_000);
  await resumed;

  expect([full, next.arrivals.waiting()]).toEqual([[32, false], 40]);
});

const ALL = { onUnreadable: () => undefined };
const bytes = Buffer.alloc(2 ** 20, 'granary ');
const MEBIBYTE = { bytes, blob: { sha256: sha256(bytes), sizeBytes: bytes.length } };

async function keepMany({ arrivals, artifact }: ReturnType<typeof openPullSite>): Promise<void> {
  const paths = Array.from({ length: 40 }, (_, number) => `files/box-${number}`);
  await Promise.all(paths.map((path) => arrivals.keep(BOXES, { artifact: { ...artifact, path }, statement: STATEMENT }, MEBIBYTE)));
}

async function bytesOf(flight: { bytes(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(flight.bytes()));
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

function sha512(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex');
}

/** A client has a file by what upstream says of its release. */
async function openArrived(options: PullSiteOptions = {}) {
  const site = openPullSite({ isListed: false, ...options });
  site.send(site.content);
  site.list();
  const bytes = Buffer.concat(await Array.fromAsync(site.fetchStated().bytes()));
  expect(bytes.equals(site.content)).toBe(true);
  expect(site.shown(toPurl('pkg:tiny/lid'))).toBe(undefined);
  return site;
}
