import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { StoreError } from '@granary/contract/ports';
import { derivedKey } from '@granary/core/layout';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openS3Store, type Patience } from './index.ts';

const HASTY: Patience = { attempts: 2, firstDelayMs: 1, answerMs: 150, stallMs: 100 };

/** The address of what answers instead of an S3 service. */
async function placeOf(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const keys = { accessKey: 'key', secretKey: 'secret-key' };
  return { endpoint: `http://127.0.0.1:${port}`, region: 'eu-central-1', bucket: 'archive', ...keys, patience: HASTY, scratchDir: 'unused' };
}

async function opening(listener: RequestListener): Promise<StoreError> {
  const error = await openS3Store(await placeOf(listener)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof StoreError) return error;
  throw new TypeError(`opened, or threw ${String(error)}`);
}

describe('a service', () => {
  it('that never answers is given up in time', async () => {
    expect((await opening(() => undefined)).message).toMatch(/no answer within/);
  });

  it('that takes a body and never reads it is given up in time', async () => {
    const place = await placeOf((asked, answering) => {
      if (asked.method === 'HEAD') answering.end();
    });
    await using store = await openS3Store(place);
    const startedAt = performance.now();

    await expect(store.objects.putOnce(derivedKey('large'), new Uint8Array(2 ** 25))).rejects.toThrow(/nothing moved for/);

    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('that begins a listing and does not end it is given up in time', async () => {
    const place = await placeOf((asked, answering) => {
      if (asked.method === 'HEAD') answering.end();
      else answering.writeHead(200, { 'content-type': 'application/xml' }).write('<ListBucketResult>');
    });
    await using store = await openS3Store(place);

    await expect(Array.fromAsync(store.objects.list(''))).rejects.toThrow(/did not end within|aborted/);
  });

  it('that sends more than was asked for is left at once', async () => {
    const left = Promise.withResolvers<void>();
    const place = await placeOf((asked, answering) => {
      if (asked.method === 'HEAD') return void answering.end();
      answering.once('close', left.resolve);
      answering.writeHead(200, { etag: '"1"', 'content-length': 1_000_000_000 }).write('x');
    });
    await using store = await openS3Store(place);

    await expect(store.objects.get(derivedKey('large'), 10)).rejects.toMatchObject({ code: 'too-large' });

    await left.promise;
  });

  it('that always fails is asked as often as patience goes', async () => {
    let asked = 0;
    const error = await opening((_, answering) => {
      asked += 1;
      answering.writeHead(503).end();
    });

    expect(error.message).toMatch(/HTTP 503/);
    expect(asked).toBe(2);
  });

  it('that refuses is asked once', async () => {
    let asked = 0;
    const error = await opening((_, answering) => {
      asked += 1;
      answering.writeHead(403).end();
    });

    expect(error).toMatchObject({ code: 'read-only' });
    expect(asked).toBe(1);
  });

  it('that breaks off is given up', async () => {
    expect((await opening((asked) => asked.socket.destroy())).message).toMatch(/socket hang up|ECONNRESET/);
  });

  it('has no path in its address', async () => {
    const place = { region: 'eu-central-1', bucket: 'archive', accessKey: 'key', secretKey: 'secret-key', scratchDir: 'unused' };

    await expect(openS3Store({ ...place, endpoint: 'https://s3.example/below' })).rejects.toThrow(/expected http:/);
    await expect(openS3Store({ ...place, endpoint: 'https://s3.example', partSizeBytes: 1 })).rejects.toThrow(/no part below/);
  });
});
