import { EcosystemError, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { manualClock, memoryCatalog, memorySpool, memoryStore } from '@granary/contract/memory';
import { type FactSink, type Upstream, UpstreamError } from '@granary/contract/ports';
import { type Digests, encodeEntry, type Fact, formatPurl, type Purl, sha256, toPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { openPull, type PullOutcome } from './open-pull.ts';
import { openPullBudget } from './pull-budget.ts';
import type { StorePorts } from './store-artifact.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box', version: '1', fileName: 'box-1' });
const CONTENT = Buffer.alloc(1_000_000, 'granary ');
const RIGHT: Digests = { sha256: sha256(CONTENT) };

it('fetches once what many ask for, and gives all of it to each', async () => {
  const site = openTestSite();
  site.send(CONTENT);

  const flights = Array.from({ length: 20 }, () => site.fetch());
  const bodies = await Promise.all(flights.map(async (flight) => Buffer.concat(await Array.fromAsync(flight.bytes()))));

  expect(bodies.every((body) => body.equals(CONTENT))).toBe(true);
  expect([site.requests(), site.stored()]).toEqual([1, [BOX]]);
});

it('sends bytes on as they come, and the last of them once the file is on record', async () => {
  const site = openTestSite();
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
  const site = openTestSite();
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
  const site = openTestSite({ check: 'refuses' });
  site.send(CONTENT);

  await expect(Array.fromAsync(site.fetch().bytes())).rejects.toMatchObject({ code: 'refused' });

  expect(site.stored()).toEqual([]);
});

it('asks upstream again after a failure', async () => {
  const site = openTestSite();
  site.send();
  await expect(site.fetch().stored()).rejects.toMatchObject({ code: 'unreachable' });

  site.send(CONTENT);

  expect(await site.fetch().stored()).toMatchObject({ sizeBytes: CONTENT.length });
});

it('asks upstream for nothing once the budget is spent, and for no file that is too large', async () => {
  const spent = openTestSite({ maxBytesPerDay: CONTENT.length - 1 });
  const small = openTestSite({ maxArtifactBytes: CONTENT.length - 1 });

  await expect(spent.fetch().stored()).rejects.toMatchObject({ code: 'quota' });
  await expect(small.fetch().stored()).rejects.toMatchObject({ code: 'too-large' });

  expect([spent.requests(), small.requests()]).toEqual([0, 0]);
});

it('ends a file that nobody said the size of where the budget ends', async () => {
  const site = openTestSite({ maxBytesPerDay: 600_000, isSizeStated: false });
  site.send(CONTENT.subarray(0, 500_000), CONTENT.subarray(500_000));

  await expect(site.fetch().stored()).rejects.toMatchObject({ code: 'quota' });

  expect(site.stored()).toEqual([]);
});

it('hands out what the store has already without asking upstream', async () => {
  const site = openTestSite();
  await site.blobs.put(CONTENT, { maxBytes: CONTENT.length });

  expect(Buffer.concat(await Array.fromAsync(site.fetch().bytes())).equals(CONTENT)).toBe(true);

  expect([site.requests(), site.stored()]).toEqual([0, [BOX]]);
});

it('ends what is under way with the process', async () => {
  const site = openTestSite();
  site.send(CONTENT.subarray(0, 500_000), 'for ever');
  const flight = site.fetch();
  await flight.underWay();

  await site.end();

  await expect(Array.fromAsync(flight.bytes())).rejects.toThrow();
  expect(site.stored()).toEqual([]);
});

interface TestOptions {
  readonly check?: 'refuses';
  readonly maxBytesPerDay?: number;
  readonly maxArtifactBytes?: number;
  readonly isSizeStated?: boolean;
}

/** A site and an upstream with one file, whose answer is set by hand. */
function openTestSite({ check, maxBytesPerDay = 1e9, maxArtifactBytes = 1e9, isSizeStated = true }: TestOptions = {}) {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const clock = manualClock();
  const outcomes: PullOutcome[] = [];
  let answer: readonly (Uint8Array | Promise<void> | 'for ever')[] = [];
  let requests = 0;
  const upstream: Upstream = {
    async open({ url, signal }) {
      requests += 1;
      if (answer.length === 0) throw new UpstreamError('unreachable', url, 'no answer');
      return { status: 'ok', url, contentType: '', at: clock.now(), body: parts(answer, signal) };
    },
  };
  const artifact: UpstreamArtifact = {
    ...{ purl: BOX, fileName: 'box-1', path: 'files/box-1', url: 'http://upstream.example/box-1', digests: RIGHT },
    ...{ yanked: false, evidence: [], companions: [] },
    ...(isSizeStated ? { sizeBytes: CONTENT.length } : {}),
  };
  const ecosystem: StorePorts['ecosystem'] = {
    index: { accept: '', maxDocumentBytes: 1, documentUrl: () => '', parse: () => ({ package: BOX, artifacts: [], refused: [] }), unlisted: () => [artifact] },
    declared: async () => ({}),
    async check() {
      if (check === 'refuses') throw new EcosystemError('mismatch', 'not signed');
      return { evidence: [] };
    },
  };
  const record = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', clock.now()) }]);
  const sink: FactSink = {
    async submit(facts) {
      for (const given of facts) record('leaf' in given ? given.fact : given);
    },
  };
  const sync = {
    ...{ upstreamBase: '', settings: {}, upstream, addressOf: async ({ url }: UpstreamArtifact) => url, blobs, catalog, sink, clock },
    ...{ ecosystem, documents: { current: async () => undefined, of: async () => ({ package: BOX, artifacts: [], refused: [] }) } },
  };
  const pull = openPull({
    ...{ sync, clock, maxArtifactBytes, budget: openPullBudget(clock, maxBytesPerDay), settle: async () => undefined },
    openSpool: async () => memorySpool(),
    onPulled: (outcome) => void outcomes.push(outcome),
  });
  return {
    blobs,
    fetch: () => pull.fetch(artifact),
    send: (...next: typeof answer) => {
      answer = next;
    },
    requests: () => requests,
    stored: (): readonly Purl[] => [...catalog.all('stored')].map(({ entry }) => toPurl(entry.subject)),
    failures: () => outcomes.filter((outcome) => 'error' in outcome).length,
    end: () => pull[Symbol.asyncDispose](),
  };
}

async function* parts(answer: readonly (Uint8Array | Promise<void> | 'for ever')[], signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  for (const part of answer) {
    signal?.throwIfAborted();
    if (part === 'for ever') await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    else if (part instanceof Promise) await part;
    else yield part;
  }
}
