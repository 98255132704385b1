import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { envelopeKey, type ObjectKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { Client } from 'minio';
import { describe, expect, it } from 'vitest';
import type { Patience, S3Service, S3Store, S3StoreOptions } from './index.ts';
import { FAULTS, type ProxiedRequest, seeded } from './test/fault-proxy.ts';
import { useFaultyService } from './test/faulty-service.ts';

const HASTY: Patience = { attempts: 14, firstDelayMs: 2, answerMs: 1500, stallMs: 300 };
const MIB = 2 ** 20;
const large = randomBytes(16 * MIB + 12_345);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const faulty = useFaultyService();

const opened = (place: S3Service, options: Partial<S3StoreOptions> = {}): Promise<S3Store> => faulty.opened(place, { partSizeBytes: 5 * MIB, ...options });
async function* inChunks(whole: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < whole.length; at += 65_536) yield whole.subarray(at, at + 65_536);
}
async function digestOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}
/** The n-th request that the pattern fits meets the fault; all others pass. */
function once(fault: (typeof FAULTS)[number], fits: (request: ProxiedRequest) => boolean, which = 1): void {
  let seen = 0;
  faulty.proxy.decide((request) => {
    if (fits(request)) seen += 1;
    return fits(request) && seen === which ? fault : undefined;
  });
}

describe('a large blob', () => {
  it('goes in parts and comes back, whatever happens to a quarter of all requests', async () => {
    const place = await faulty.behindProxy(HASTY);
    const store = await opened(place);
    faulty.proxy.decide(seeded(7, 0.25, FAULTS));

    const { sha256: digest } = await store.blobs.put(inChunks(large), { maxBytes: large.length });
    const found = await store.blobs.open(digest, { start: 1, end: large.length - 1 });

    expect(await digestOf(found?.stream ?? inChunks(new Uint8Array()))).toBe(createHash('sha256').update(large.subarray(1, -1)).digest('hex'));
    expect(found?.sizeBytes).toBe(large.length);
  });

  it.each(['reset-kept', 'error-in-200-lost', 'error-in-200-kept', 'error-500-kept'] as const)(
    'is there once when the answer to its completion is %s',
    async (fault) => {
      const store = await opened(await faulty.behindProxy(HASTY));
      once(fault, ({ method, path }) => method === 'POST' && path.includes('uploadId='));

      const { sha256: digest } = await store.blobs.put(large, { maxBytes: large.length });

      expect(await digestOf((await store.blobs.open(digest))?.stream ?? inChunks(bytes('')))).toBe(digest);
      expect(faulty.proxy.made.get(fault)).toBeGreaterThan(0);
    },
  );
});

describe('a blob that is read', () => {
  it('goes on where the connection broke off, and does not begin anew', async () => {
    const store = await opened(await faulty.behindProxy(HASTY));
    const { sha256: digest } = await store.blobs.put(large, { maxBytes: large.length });
    const before = faulty.proxy.requests();
    once('truncated', ({ method }) => method === 'GET');

    const read = await digestOf((await store.blobs.open(digest))?.stream ?? inChunks(bytes('')));

    expect(read).toBe(digest);
    // HEAD, the read that broke off, and the rest.
    expect(faulty.proxy.requests() - before).toBe(3);
  });

  it('is never returned short: a service that always breaks off is an error', async () => {
    const store = await opened(await faulty.behindProxy({ ...HASTY, attempts: 3 }));
    const { sha256: digest } = await store.blobs.put(bytes('0123456789'), { maxBytes: 10 });
    faulty.proxy.decide(({ method }) => (method === 'GET' ? 'truncated' : undefined));

    await expect(store.blobs.open(digest).then((found) => digestOf(found?.stream ?? inChunks(bytes(''))))).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a blob that is put', () => {
  it('is not sent again when it is there', async () => {
    const store = await opened(await faulty.behindProxy(HASTY));
    await store.blobs.put(large, { maxBytes: large.length });
    const before = faulty.proxy.requests();

    await store.blobs.put(inChunks(large), { maxBytes: large.length });

    expect(faulty.proxy.requests() - before).toBe(1);
  });

  it('leaves no upload behind when it comes to nothing, and no scratch file', async () => {
    const place = await faulty.behindProxy({ ...HASTY, attempts: 2 });
    const store = await opened(place);
    let begun = 0;
    faulty.proxy.decide(({ method, path }) => {
      if (method === 'POST' && path.endsWith('?uploads')) begun += 1;
      return path.includes('partNumber=3') ? 'error-500-lost' : undefined;
    });

    await expect(store.blobs.put(inChunks(large), { maxBytes: large.length })).rejects.toMatchObject({ code: 'unreachable' });

    const { hostname, port } = new URL(faulty.service.endpoint);
    const client = new Client({ ...place, endPoint: hostname, port: Number(port), useSSL: false });
    expect(begun).toBe(1);
    expect(await Array.fromAsync(client.listIncompleteUploads(place.bucket, '', true))).toEqual([]);
    expect(await readdir(faulty.service.scratchDir)).toEqual([]);
  });
});

describe('a listing', () => {
  it('goes over pages, in order and with nothing left out or twice, whatever happens on the way', async () => {
    const place = await faulty.behindProxy(HASTY);
    const store = await opened(place);
    const keys = Array.from({ length: 2345 }, (_, n) => envelopeKey(sha256(String(n))));
    await Promise.all(keys.map((key) => store.objects.putOnce(key, bytes('x'))));
    faulty.proxy.decide(seeded(11, 0.25, FAULTS));

    expect(await Array.fromAsync(store.objects.list('envelopes/'))).toEqual(keys.toSorted());
  });
});

describe('a signed address', () => {
  it('gives the blob to whoever has it, for as long as it says', async () => {
    const store = await opened(await faulty.service.newBucket());
    const { sha256: digest } = await store.blobs.put(bytes('for a client'), { maxBytes: 100 });

    const address = await store.presignedUrl(digest, 60);

    expect(await (await fetch(address)).text()).toBe('for a client');
    expect(await (await fetch(address, { headers: { range: 'bytes=4-4' } })).text()).toBe('a');
    expect((await fetch(address.replace(/Signature=./, 'Signature=x'))).status).toBe(403);
  });
});

describe('1 GB', () => {
  it('goes in and out in bounded memory', async () => {
    const options = { ...(await faulty.service.newBucket()), scratchDir: faulty.service.scratchDir };
    const program = join(import.meta.dirname, 'test/gigabyte.ts');

    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(options), String(1024 * MIB)]);

    const said = JSON.parse(stdout);
    const mb = (size: number): string => `${(size / 1e6).toFixed(0)} MB`;
    console.log(
      `1 GiB in ${said.putSeconds.toFixed(1)} s, out ${said.readSeconds.toFixed(1)} s; memory grew by ${mb(said.grownSinceSmall)} beyond that of 16 MiB, ${mb(said.grownSinceOpened)} since the start`,
    );
    expect(said.isSame).toBe(true);
    expect(said.grownSinceSmall).toBeLessThan(100e6);
  });
});

describe('a service that hangs', () => {
  it('does not hang us, and is named with what to check', async () => {
    const place = await faulty.behindProxy({ attempts: 2, firstDelayMs: 1, answerMs: 200, stallMs: 200 });
    const store = await opened(place);
    faulty.proxy.decide(() => 'silence');
    const key: ObjectKey = envelopeKey(sha256('a'));

    for (const ask of [
      () => store.objects.putOnce(key, bytes('a')),
      () => store.objects.get(key, 1),
      () => Array.fromAsync(store.objects.list('')),
      () => store.blobs.size(sha256('a')),
    ])
      await expect(ask()).rejects.toMatchObject({ name: 'StoreError', code: 'unreachable', message: expect.stringContaining(faulty.proxy.endpoint) });
  });

  it('is not waited for at the opening either', async () => {
    const place = await faulty.behindProxy({ attempts: 2, firstDelayMs: 1, answerMs: 200, stallMs: 200 });
    faulty.proxy.decide(() => 'silence');

    await expect(opened(place)).rejects.toThrow(/no answer within/);
  });
});

describe('a service without conditional writes', () => {
  it('is looked at before it is written to', async () => {
    const store = await opened(await faulty.service.newBucket(), { writeOnce: 'check-then-put' });
    const key = envelopeKey(sha256('a'));

    await store.objects.putOnce(key, bytes('first'));
    await store.objects.putOnce(key, bytes('first'));

    await expect(store.objects.putOnce(key, bytes('other'))).rejects.toMatchObject({ code: 'key-taken' });
    expect(await store.objects.get(key, 100)).toEqual(bytes('first'));
  });
});

describe('what stands in the way of an opening', () => {
  it.each<[string, (place: S3Service) => S3Service, RegExp]>([
    ['a bucket that is not there', (place) => ({ ...place, bucket: 'nowhere' }), /no bucket nowhere at .*: make it first/],
    ['another secret key', (place) => ({ ...place, secretKey: 'guessed-wrong' }), /check access key and secret key/],
    ['another address', (place) => ({ ...place, endpoint: 'http://127.0.0.1:9', patience: { ...HASTY, attempts: 2 } }), /127\.0\.0\.1:9.*check that it runs/],
  ])('is said of %s', async (_, change, said) => {
    const place = change(await faulty.service.newBucket());

    await expect(opened(place)).rejects.toMatchObject({ name: 'StoreError', message: expect.stringMatching(said) });
  });
});
