import { memoryCatalog, memoryStore } from '@granary/contract/memory';
import { encodeEntry, formatPurl, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { type LookOptions, type ObservePorts, observePackage } from './observe.ts';

const BOX = formatPurl({ type: 'tiny', name: 'box' });

it('marks what only clients asked for, until somebody wants it', async () => {
  const { look, marks } = openTestUpstream();

  await look({ pulled: true });
  await look({ pulled: true });
  await look();
  await look({ pulled: true });

  expect(marks()).toEqual([true, undefined]);
});

it('leaves alone what was wanted before a client asked', async () => {
  const { look, marks } = openTestUpstream();

  await look();
  await look({ pulled: true });

  expect(marks()).toEqual([undefined]);
});

/** An upstream whose index of one package never changes, and answers with its tag. */
function openTestUpstream() {
  const { blobs } = memoryStore();
  const catalog = memoryCatalog();
  const at = toInstant(0);
  async function* body() {
    yield new TextEncoder().encode('one');
  }
  const ports: ObservePorts = {
    upstreamBase: '',
    blobs,
    catalog,
    ecosystem: {
      index: {
        accept: 'text/plain',
        maxDocumentBytes: 1000,
        documentUrl: () => 'http://upstream.example/box',
        parse: () => ({ package: BOX, artifacts: [], refused: [] }),
      },
    },
    upstream: {
      open: async ({ url, etag }) =>
        etag === '"1"' ? { status: 'not-modified', at } : { status: 'ok', url, contentType: 'text/plain', etag: '"1"', body: body(), at },
    },
    sink: {
      submit: async (facts) => {
        for (const given of facts)
          catalog.fold('ledger.example', [{ index: catalog.size('ledger.example'), bytes: encodeEntry('leaf' in given ? given.fact : given, 'author', at) }]);
      },
    },
  };
  return {
    look: (options?: LookOptions) => observePackage(ports, BOX, options),
    marks: () => [...catalog.ofPackage('observed', BOX, { history: true })].map(({ entry }) => entry.body['pulled']),
  };
}
