import type { FileAddresses, PackageIndex, UpstreamArtifact } from '@granary/contract/ecosystem';
import { manualClock } from '@granary/contract/memory';
import { type Upstream, UpstreamError } from '@granary/contract/ports';
import { formatPurl } from '@granary/core/model';
import { expect, it } from 'vitest';
import { openFileAddresses } from './file-addresses.ts';

const MAX_AGE_MS = 60_000;
const BASE = 'http://upstream.example/index/';
const artifact: UpstreamArtifact = {
  purl: formatPurl({ type: 'tiny', name: 'box', version: '1.0' }),
  fileName: 'box-1.0',
  path: 'box-1.0',
  digests: {},
  url: `${BASE}box`,
  yanked: false,
  evidence: [],
  companions: [],
};

it('is what the index says where no other document tells', async () => {
  const { addressOf, asked } = openTestUpstream(undefined);

  expect(await addressOf(artifact)).toBe(`${BASE}box`);
  expect(asked).toEqual([]);
});

it('is made from the document that tells, which is read once for all files and for a while', async () => {
  const { addressOf, asked, answer, clock } = openTestUpstream({});
  answer('http://files.example/');

  expect(await Promise.all([addressOf(artifact), addressOf(artifact)])).toEqual(['http://files.example/box-1.0', 'http://files.example/box-1.0']);
  answer('http://elsewhere.example/');
  expect(await addressOf(artifact)).toBe('http://files.example/box-1.0');
  expect(asked).toEqual([`${BASE}files`]);
  await clock.advance(MAX_AGE_MS);
  expect(await addressOf(artifact)).toBe('http://elsewhere.example/box-1.0');
});

it('is asked for again after upstream did not answer', async () => {
  const { addressOf, answer } = openTestUpstream({});

  await expect(addressOf(artifact)).rejects.toThrow('no answer');
  answer(undefined);
  await expect(addressOf(artifact)).rejects.toThrow(/doesn't have what says where its files lie/);
  answer('http://files.example/');
  expect(await addressOf(artifact)).toBe('http://files.example/box-1.0');
});

/** An upstream with one document that says where files lie: at first it doesn't answer. */
function openTestUpstream(files: object | undefined) {
  const clock = manualClock();
  const asked: string[] = [];
  let base: string | undefined | 'no answer' = 'no answer';
  const upstream: Upstream = {
    async open({ url }) {
      asked.push(url);
      if (base === 'no answer') throw new UpstreamError('unreachable', url, base);
      if (base === undefined) return { status: 'not-found', code: 404, at: clock.now() };
      return { status: 'ok', url, contentType: 'text/plain', body: bytesOf(base), at: clock.now() };
    },
  };
  const addresses: FileAddresses = {
    documentUrl: (upstreamBase) => `${upstreamBase}files`,
    maxDocumentBytes: 1000,
    addressOf: ({ fileName }, document) => `${new TextDecoder().decode(document)}${fileName}`,
  };
  const index: PackageIndex = {
    accept: 'text/plain',
    maxDocumentBytes: 1000,
    documentUrl: () => `${BASE}box`,
    parse: () => ({ package: artifact.purl, artifacts: [], refused: [] }),
    ...(files === undefined ? {} : { files: addresses }),
  };
  const addressOf = openFileAddresses({ ecosystem: { index }, upstreamBase: BASE, upstream, clock, maxAgeMs: MAX_AGE_MS });
  return {
    addressOf,
    asked,
    clock,
    answer: (next: string | undefined) => {
      base = next;
    },
  };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
