import { sha256, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { BOX, CONTENT, openPullSite } from './test/pull-site.ts';

it('fetches once what many ask for, and gives all of it to each', async () => {
  const site = openPullSite();
  site.send(CONTENT);

  const flights = Array.from({ length: 20 }, () => site.fetch());
  const bodies = await Promise.all(flights.map(async (flight) => Buffer.concat(await Array.fromAsync(flight.bytes()))));

  expect(bodies.every((body) => body.equals(CONTENT))).toBe(true);
  expect([site.requests(), site.stored()]).toEqual([1, [BOX]]);
});

it('sends bytes on as they come, and the last of them once the file is on record', async () => {
  const site = openPullSite();
  const rest = Promise.withResolvers<void>();
  site.send(CONTENT.subarray(0, 500_000), rest.promise, CONTENT.subarray(500_000));

  const flight = site.fetch();
  expect(await flight.underWay()).toEqual({ sizeBytes: CONTENT.length });
  const bytes = flight.bytes()[Symbol.asyncIterator]();
  const first = await bytes.next();
  expect(site.stored()).toEqual([]);
  rest.resolve();
  let read = first.value?.length ?? 0;
  for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
    read += next.value.length;
    if (read === CONTENT.length) expect(site.stored()).toEqual([BOX]);
  }

  expect(read).toBe(CONTENT.length);
});

it.each([
  ['other bytes', Buffer.alloc(CONTENT.length, 'x')],
  ['less', CONTENT.subarray(0, -1)],
])('lets nobody have all of a file of which upstream sent %s, and keeps nothing of it', async (_, sent) => {
  const site = openPullSite();
  site.send(sent);

  let received = 0;
  const reading = (async () => {
    for await (const chunk of site.fetch().bytes()) received += chunk.length;
  })();

  await expect(reading).rejects.toMatchObject({ name: 'PullError', code: 'refused' });
  expect(received).toBeLessThan(sent.length);
  expect([site.stored(), await site.blobs.size(sha256(sent)), site.failures()]).toEqual([[], undefined, 1]);
});

it('lets nobody have all of a file that the ecosystem refuses', async () => {
  const site = openPullSite({ check: 'refuses' });
  site.send(CONTENT);

  await expect(Array.fromAsync(site.fetch().bytes())).rejects.toMatchObject({ code: 'refused' });

  expect(site.stored()).toEqual([]);
});

it('asks upstream again after a failure', async () => {
  const site = openPullSite();
  site.send();
  await expect(site.fetch().passed()).rejects.toMatchObject({ code: 'unreachable' });

  site.send(CONTENT);

  expect(await site.fetch().passed()).toMatchObject({ blob: { sizeBytes: CONTENT.length } });
});

it('asks upstream for nothing once the budget is spent, and for no file that is too large', async () => {
  const spent = openPullSite({ maxBytesPerDay: CONTENT.length - 1 });
  const small = openPullSite({ maxArtifactBytes: CONTENT.length - 1 });

  await expect(spent.fetch().passed()).rejects.toMatchObject({ code: 'quota' });
  await expect(small.fetch().passed()).rejects.toMatchObject({ code: 'too-large' });

  expect([spent.requests(), small.requests()]).toEqual([0, 0]);
});

it('ends a file that nobody said the size of where the budget ends', async () => {
  const site = openPullSite({ maxBytesPerDay: 600_000, isSizeStated: false });
  site.send(CONTENT.subarray(0, 500_000), CONTENT.subarray(500_000));

  await expect(site.fetch().passed()).rejects.toMatchObject({ code: 'quota' });

  expect(site.stored()).toEqual([]);
});

it('hands out what the store has already without asking upstream', async () => {
  const site = openPullSite();
  await site.blobs.put(CONTENT, { maxBytes: CONTENT.length });

  expect(Buffer.concat(await Array.fromAsync(site.fetch().bytes())).equals(CONTENT)).toBe(true);

  expect([site.requests(), site.stored()]).toEqual([0, [BOX]]);
});

it('gives a file once its facts are durable, however long the sequencer takes, and fetches it once until then', async () => {
  const sequenced = Promise.withResolvers<void>();
  const site = openPullSite({ sequenced: sequenced.promise });
  site.send(CONTENT);

  const bodies = [await Array.fromAsync(site.fetch().bytes()), await Array.fromAsync(site.fetch().bytes())];

  expect(bodies.map((body) => Buffer.concat(body).equals(CONTENT))).toEqual([true, true]);
  expect([site.stored(), site.requests()]).toEqual([[BOX], 1]);
  expect([site.shown(BOX), site.shown(toPurl('pkg:tiny/box'))]).toEqual([undefined, expect.any(Promise)]);
  sequenced.resolve();
  await site.end();
  expect(site.shown(toPurl('pkg:tiny/box'))).toBe(undefined);
});

it('waits for the sequencer where the checks of a file brought more, which a client may ask for next, but not for long', async () => {
  const site = openPullSite({ check: 'brings-more', sequenced: new Promise(() => undefined) });
  site.send(CONTENT);
  const flight = site.fetch();
  let isStored = false;
  const stored = flight.passed().then(() => {
    isStored = true;
  });

  await site.clock.advance(2999);
  const early = isStored;
  await site.clock.advance(1);
  await stored;

  expect([early, site.stored().length]).toEqual([false, 2]);
});

it('takes a file in by an index that is not on record yet, and gives it once that is durable', async () => {
  const site = openPullSite({ isListed: false });
  site.send(CONTENT);
  const recorded = Promise.withResolvers<void>();
  const flight = site.fetch({ sighted: { document: { package: BOX, artifacts: [site.artifact], refused: [] }, recorded: recorded.promise } });
  const bodies = Array.fromAsync(flight.bytes());

  await site.clock.advance(1000);
  const early = site.stored();
  recorded.resolve();

  expect([Buffer.concat(await bodies).equals(CONTENT), early, site.stored()]).toEqual([true, [], [BOX]]);
  await expect(site.fetch().passed()).rejects.toMatchObject({ code: 'refused' });
});

it('gives nobody a file whose index could not be made durable', async () => {
  const site = openPullSite({ isListed: false });
  site.send(CONTENT);
  const recorded = Promise.reject(new Error('disk full'));
  const flight = site.fetch({ sighted: { document: { package: BOX, artifacts: [site.artifact], refused: [] }, recorded } });

  await expect(Array.fromAsync(flight.bytes())).rejects.toThrow('disk full');

  expect(site.stored()).toEqual([]);
});

it('keeps a small file in memory while it waits, and a larger one on disk', async () => {
  const small = openPullSite({ content: CONTENT.subarray(0, 65_536) });
  const large = openPullSite({ content: CONTENT.subarray(0, 65_537) });

  const bodies = await Promise.all(
    [small, large].map(async (site) => {
      site.send(site.content.subarray(0, 1000), site.content.subarray(1000));
      return Buffer.concat(await Array.fromAsync(site.fetch().bytes())).equals(site.content);
    }),
  );

  expect([bodies, small.spools(), large.spools()]).toEqual([[true, true], 0, 1]);
});

it('ends what is under way with the process', async () => {
  const site = openPullSite();
  site.send(CONTENT.subarray(0, 500_000), 'for ever');
  const flight = site.fetch();
  await flight.underWay();

  await site.end();

  await expect(Array.fromAsync(flight.bytes())).rejects.toThrow();
  expect(site.stored()).toEqual([]);
});
