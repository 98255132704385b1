import { createHash } from 'node:crypto';
import { memoryStore } from '@granary/contract/memory';
import { arrivalKey } from '@granary/core/layout';
import { sha256, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type ArrivalNote, openArrivalNotes } from './arrival-notes.ts';
import { BOX, BOXES, CONTENT, openPullSite, PUBLISHED, type PullSiteOptions } from './test/pull-site.ts';

it('gives a client what came by its release once a note of it is durable, and takes it in by the document of its package later', async () => {
  const site = await openArrived();
  const before = [await site.notes(), site.stored(), site.arrivals.waiting()];

  await site.takeIn();

  expect(before).toEqual([1, [], 1]);
  expect([await site.notes(), site.stored(), site.publishedAt(), site.arrivals.waiting()]).toEqual([0, [BOX], [PUBLISHED], 0]);
  expect(site.requests()).toBe(1);
});

it.each([
  ['other bytes', { digests: { sha256: sha256('other bytes') } }],
  ['a digest that the bytes have not', { digests: { sha1: sha1(CONTENT), sha512: sha512(Buffer.from('other bytes')) } }],
])('takes it in by what was said of its release where its package states %s by then', async (_, listed) => {
  const site = await openArrived({ digests: { sha1: sha1(CONTENT) } });
  site.list({ ...listed, publishedAt: PUBLISHED });

  await site.takeIn();

  expect([site.stored(), site.publishedAt(), await site.notes(), site.failures(), site.requests()]).toEqual([[BOX], [undefined], 0, 0, 1]);
});

it('reads it again where its package states digests that nobody looked for', async () => {
  const site = await openArrived({ digests: { sha1: sha1(CONTENT) } });
  site.list({ digests: { sha1: sha1(CONTENT), sha512: sha512(CONTENT) }, publishedAt: PUBLISHED });

  await site.takeIn();

  expect([site.stored(), site.publishedAt(), site.requests()]).toEqual([[BOX], [PUBLISHED], 1]);
});

it('waits ten minutes for an upstream that does not tell of the package, and takes it in by its release then', async () => {
  const site = await openArrived({ check: 'asks-upstream' });
  site.hush();
  await site.takeIn();
  await site.shown(BOXES);
  await site.clock.advance(599_000);
  const before = [site.stored(), await site.notes(), site.arrivals.waiting(), site.failures()];

  await site.clock.advance(300_000);

  expect([before, site.stored(), site.publishedAt(), await site.notes()]).toEqual([[[], 1, 1, 0], [BOX], [undefined], 0]);
});

it('takes it in by the document of its package as soon as that can be had', async () => {
  const site = await openArrived();
  site.hush();
  await site.takeIn();
  site.list();

  await site.clock.advance(10_000);

  expect([site.stored(), site.publishedAt(), await site.notes()]).toEqual([[BOX], [PUBLISHED], 0]);
});

it('takes nothing in while the process ends', async () => {
  const site = await openArrived();
  const looked = Promise.withResolvers<void>();
  site.hold(looked.promise);
  void site.takeIn();

  const ended = site.end();
  looked.resolve();
  await ended;

  expect([site.stored(), await site.notes(), site.failures()]).toEqual([[], 1, 0]);
});

it('leaves the first bytes where others were recorded under its name meanwhile', async () => {
  const site = await openArrived();
  await site.keepOther();

  await site.takeIn();

  expect([site.stored(), await site.notes(), site.failures()]).toEqual([[BOX], 0, 1]);
});

it('gives nobody other bytes under its name', async () => {
  const site = await openArrived();

  await expect(Array.fromAsync(site.fetchOther().bytes())).rejects.toMatchObject({ code: 'refused' });

  expect(site.requests()).toBe(1);
});

it('fetches once what is asked for again before it is taken in', async () => {
  const site = await openArrived();

  const again = Buffer.concat(await Array.fromAsync(site.fetchStated().bytes()));

  expect([again.equals(CONTENT), site.requests(), await site.notes()]).toEqual([true, 1, 1]);
});

it('takes in at once what another view is asked for', async () => {
  const site = await openArrived();

  await site.shown(BOXES);

  expect([site.stored(), await site.notes()]).toEqual([[BOX], 0]);
});

it('takes in at once, and before a client has it, what brought more that clients ask for next', async () => {
  const site = openPullSite({ isListed: false, check: 'brings-more' });
  site.send(CONTENT);
  site.list();

  const reading = Array.fromAsync(site.fetchStated().bytes()).then(() => site.stored());

  expect(await reading).toContain(BOX);
});

it.each([
  ['the ecosystem refuses', { check: 'refuses' }, CONTENT],
  ['has other bytes than its release says', {}, Buffer.alloc(CONTENT.length, 'x')],
] as const)('gives nobody all of a file that %s, and keeps no note of it', async (_, options, sent) => {
  const site = openPullSite({ ...options, isListed: false });
  site.send(sent);

  await expect(Array.fromAsync(site.fetchStated().bytes())).rejects.toMatchObject({ code: 'refused' });

  expect([await site.notes(), site.arrivals.waiting(), await site.blobs.size(sha256(sent))]).toEqual([
    0,
    0,
    site.artifact.digests.sha256 === sha256(sent) ? sent.length : undefined,
  ]);
});

it.each(['ended', 'was killed'])('takes in after the next start what a process left behind that %s, without fetching it again', async (how) => {
  const before = await openArrived();
  if (how === 'ended') await before.end();

  const next = openPullSite({ isListed: false, store: before.store });
  next.list();
  await next.arrivals.resume(0);
  const seen = [next.shown(BOXES), next.shown(toPurl('pkg:tiny/lid'))];
  await seen[0];

  expect(seen).toEqual([expect.any(Promise), undefined]);
  expect([next.stored(), next.publishedAt(), await next.notes(), next.requests()]).toEqual([[BOX], [PUBLISHED], 0, 0]);
});

it('gives what an earlier process left behind to whoever asks for it meanwhile, and no other bytes, without upstream', async () => {
  const before = await openArrived();
  const next = openPullSite({ isListed: false, store: before.store });
  next.hush();
  await next.arrivals.resume(0);

  const given = Buffer.concat(await Array.fromAsync(next.fetch().bytes()));

  expect([given.equals(CONTENT), next.arrivals.at(next.artifact.path)?.artifact, next.requests()]).toEqual([true, next.artifact, 0]);
  await expect(Array.fromAsync(next.fetchOther().bytes())).rejects.toMatchObject({ code: 'refused' });
});

it('ends with the process while a note is being written, and leaves it to the next', async () => {
  const [written, store] = [Promise.withResolvers<void>(), memoryStore()];
  const objects = {
    ...store.objects,
    putOnce: (...all: Parameters<typeof store.objects.putOnce>) => written.promise.then(() => store.objects.putOnce(...all)),
  };
  const site = openPullSite({ isListed: false, store: { ...store, objects } });
  site.send(CONTENT);
  const reading = Array.fromAsync(site.fetchStated().bytes());
  await site.clock.advance(0);

  const ended = site.end();
  await site.clock.advance(0);
  written.resolve();
  await Promise.all([ended, reading]);

  expect([site.arrivals.waiting(), await site.notes()]).toEqual([0, 1]);
});

it('waits where the document of its package does not have it yet', async () => {
  const site = await openArrived();
  site.listNothing();
  await site.takeIn();
  const early = [site.stored(), await site.notes()];

  site.list();
  await site.clock.advance(10_000);

  expect([early, site.publishedAt(), await site.notes(), site.failures()]).toEqual([[[], 1], [PUBLISHED], 0, 0]);
});

it('takes in nothing that is on record', async () => {
  const site = await openArrived();
  await site.keepOther(sha256(CONTENT));

  await site.takeIn();

  expect([site.publishedAt(), await site.notes(), site.failures()]).toEqual([[undefined], 0, 0]);
});

it('removes the object of a note that could not be removed at first', async () => {
  const store = memoryStore();
  let isBroken = true;
  const remove = async (key: Parameters<typeof store.mutable.remove>[0]) => {
    if (isBroken) throw new Error('no answer');
    await store.mutable.remove(key);
  };
  const notes = openArrivalNotes({ objects: store.objects, mutable: { ...store.mutable, remove } }, 'tiny');
  const [one, two] = await Promise.all(['1', '2'].map((path) => notes.keep(noteOf(path))));
  await one?.remove();
  await expect(two?.remove()).rejects.toThrow();

  isBroken = false;
  await two?.remove();

  expect(await Array.fromAsync(store.objects.list('arrivals/'))).toEqual([]);
});

it('leaves to other processes what is new', async () => {
  const { store } = await openArrived();
  const other = openPullSite({ isListed: false, store });
  other.list();

  await other.arrivals.resume(60_000);
  const early = other.arrivals.waiting();
  await other.clock.advance(60_000);
  await other.arrivals.resume(60_000);
  await other.shown(BOXES);

  expect([early, other.stored()]).toEqual([0, [BOX]]);
});

it('says what could not be taken in, and tries again', async () => {
  const site = await openArrived();
  site.refuseFacts(true);
  await site.takeIn();
  await site.clock.advance(9999);
  const failed = [site.failures(), site.stored(), await site.notes(), site.arrivals.waiting()];

  site.refuseFacts(false);
  await site.clock.advance(1);

  expect([failed, site.stored(), await site.notes(), site.arrivals.waiting()]).toEqual([[1, [], 1, 1], [BOX], 0, 0]);
});

it('puts notes that come at once into one object, which goes with the last of them', async () => {
  const store = memoryStore();
  const notes = openArrivalNotes(store, 'tiny');
  const objects = async () => (await Array.fromAsync(store.objects.list('arrivals/'))).length;

  const kept = await Promise.all(Array.from({ length: 60 }, (_, number) => notes.keep(noteOf(`files/box-${number}`))));
  const [first, all, found] = [await objects(), kept.map((one) => one.note), await Array.fromAsync(notes.all(), (one) => one.note)];
  for (const one of kept.slice(1)) await one.remove();
  const left = await Array.fromAsync(openArrivalNotes(store, 'tiny').all(), (one) => one.note.path);
  await kept[0]?.remove();

  // 200 kB each, and at most 4 MiB in an object.
  expect([first, new Set(found)]).toEqual([3, new Set(all)]);
  expect([left.length, left[0], await objects()]).toEqual([20, 'files/box-0', 0]);
});

it.each(['no json', '{}', '{"at":"now","package":"none"}', ''])('passes over a line that it did not write: %s', async (line) => {
  const store = memoryStore();
  const bytes = Buffer.from(`${line}\n`);
  await store.objects.putOnce(arrivalKey('tiny', sha256(bytes)), bytes);

  expect(await Array.fromAsync(openArrivalNotes(store, 'tiny').all())).toEqual([]);
  expect(await Array.fromAsync(openArrivalNotes(store, 'other').all())).toEqual([]);
});

function noteOf(path: string): ArrivalNote {
  const statement = { url: 'http://upstream.example/', text: 'é'.repeat(100_000) };
  return { at: PUBLISHED, packagePurl: BOXES, path, statement, blob: { sha256: sha256(path), sizeBytes: 1 } };
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
  site.send(CONTENT);
  site.list();
  const bytes = Buffer.concat(await Array.fromAsync(site.fetchStated().bytes()));
  expect(bytes.equals(CONTENT)).toBe(true);
  expect(site.shown(toPurl('pkg:tiny/lid'))).toBe(undefined);
  return site;
}
