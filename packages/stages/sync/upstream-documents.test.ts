import type { PackageDocument } from '@granary/contract/ecosystem';
import { manualClock, memoryCatalog, memoryStore } from '@granary/contract/memory';
import type { Upstream } from '@granary/contract/ports';
import { encodeEntry, type Fact, formatPurl, sha256 } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type ObservePorts, observePackage } from './observe.ts';
import { openUpstreamDocuments } from './upstream-documents.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box' });
const MAX_AGE_MS = 30_000;

it('takes a package that nobody observed as upstream has it, for a while', async () => {
  const { documents, publish, clock } = openTestUpstream();
  publish('one');

  expect((await documents.current(BOX))?.sha256).toBe(sha256('one'));
  publish('two');
  expect((await documents.current(BOX))?.sha256).toBe(sha256('one'));
  await clock.advance(MAX_AGE_MS);
  expect((await documents.current(BOX))?.sha256).toBe(sha256('two'));
});

it('never lags behind what was observed', async () => {
  const { documents, publish, observe } = openTestUpstream();
  publish('one');
  await observe();
  await documents.current(BOX);

  publish('two');
  await observe();

  expect((await documents.current(BOX))?.sha256).toBe(sha256('two'));
});

it('observes before it says something newer of an observed package', async () => {
  const { documents, publish, observe, clock, observed } = openTestUpstream();
  publish('one');
  await observe();

  publish('two');
  await clock.advance(MAX_AGE_MS);

  expect((await documents.current(BOX))?.sha256).toBe(sha256('two'));
  expect(observed()).toBe(sha256('two'));
});

it('has nothing of an observed package that upstream no longer has', async () => {
  const { documents, publish, observe } = openTestUpstream();
  publish('one');
  await observe();

  publish(undefined);

  expect(await documents.current(BOX)).toBe(undefined);
});

it('keeps few documents parsed, and reads others again when somebody looks', async () => {
  const { documents, publish, parsed, clock } = openTestUpstream();
  const [first, second] = ['1', '2'].map((digit) => digit.repeat(9 * 2 ** 20));
  publish(first);
  const earlier = await documents.current(BOX);
  publish(second);
  await clock.advance(MAX_AGE_MS);
  const later = await documents.current(BOX);

  const looks = [later, later, earlier, earlier].map((document) => {
    expect(document?.document.package).toBe(BOX);
    return parsed();
  });

  expect(looks).toEqual([2, 2, 3, 3]);
});

/** An upstream with one package, whose index document is set by hand. */
function openTestUpstream() {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const clock = manualClock();
  let document: string | undefined;
  const upstream: Upstream = {
    open: async ({ url }) => {
      const at = clock.now();
      if (document === undefined) return { status: 'not-found', code: 404, at };
      return { status: 'ok', url, contentType: 'text/plain', body: bytesOf(document), at };
    },
  };
  const record = (fact: Fact) => catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry(fact, 'author', clock.now()) }]);
  let parsed = 0;
  const parse = (): PackageDocument => {
    parsed += 1;
    return { package: BOX, artifacts: [], refused: [] };
  };
  const index = { accept: 'text/plain', maxDocumentBytes: 2 ** 24, documentUrl: () => 'http://upstream.example/box', parse };
  const ports = { ecosystem: { index }, upstreamBase: '', upstream, blobs, catalog, clock };
  const sink: ObservePorts['sink'] = {
    submit: async (facts) => {
      for (const given of facts) record('leaf' in given ? given.fact : given);
    },
  };
  const observe = async () => await observePackage({ ...ports, sink }, BOX);
  const documents = openUpstreamDocuments({ ...ports, observe, maxAgeMs: MAX_AGE_MS });
  return {
    documents,
    clock,
    observe,
    parsed: () => parsed,
    publish: (next: string | undefined) => {
      document = next;
    },
    observed: () => catalog.current('observed', BOX)?.entry.body['document'],
  };
}

async function* bytesOf(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}
