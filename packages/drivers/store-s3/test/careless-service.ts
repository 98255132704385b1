import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'minio';
import type { S3Service } from '../index.ts';

/**
 * A service that knows conditional writes, and looks before it writes: right for one writer, wrong for two at once. What is stored lies in a real
 * service behind it; requests without a condition are sent on.
 */
export async function startCarelessService(real: S3Service): Promise<AsyncDisposable & { readonly place: S3Service }> {
  const { hostname, port } = new URL(real.endpoint);
  const client = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    region: real.region,
    accessKey: real.accessKey,
    secretKey: real.secretKey,
  });
  const server = createServer((asked, answering) => {
    answer(client, asked, answering).catch(() => answering.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a listening TCP server has an address');
  return {
    place: { ...real, endpoint: `http://127.0.0.1:${address.port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(client: Client, asked: IncomingMessage, answering: ServerResponse): Promise<void> {
  const body = await buffer(asked);
  const { pathname, search } = new URL(asked.url ?? '', 'http://127.0.0.1');
  const [, bucketName = '', objectName = ''] = /^\/([^/]+)\/?(.*)$/.exec(pathname) ?? [];
  if (asked.method === 'PUT') {
    const there = await client.statObject(bucketName, objectName).catch(() => undefined);
    const { 'if-match': wanted, 'if-none-match': none } = asked.headers;
    const holds = none === undefined ? wanted === undefined || wanted === `"${there?.etag}"` : there === undefined;
    if (!holds) return void answering.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
    await sleep(5);
    const { etag } = await client.putObject(bucketName, objectName, body);
    return void answering.writeHead(200, { etag: `"${etag}"` }).end();
  }
  const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => name === 'range' || name === 'if-match'));
  const given = await client
    .makeRequestAsync(
      { method: asked.method ?? 'GET', bucketName, ...(objectName === '' ? {} : { objectName }), query: search.slice(1), headers: toText(headers) },
      '',
      [200, 204, 206],
    )
    .catch((error: { readonly code?: string }) => (error.code === 'PreconditionFailed' ? 412 : 404));
  if (typeof given === 'number') return void answering.writeHead(given).end();
  answering.writeHead(given.statusCode ?? 500, toText(given.headers));
  given.pipe(answering);
}

function toText(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}
