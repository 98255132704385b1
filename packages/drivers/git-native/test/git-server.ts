import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { LocalRepository, ShownRefs } from '@granary/contract/ports';
import { onTestFinished } from 'vitest';

/** A repository over smart HTTP on loopback, for real clients: the least that gitprotocol-http(5) asks of a server. */
export async function gitServer(repository: LocalRepository, shown: ShownRefs): Promise<string> {
  const server = createServer((request, response) => {
    answer(repository, shown, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/repository`;
}

async function answer(repository: LocalRepository, shown: ShownRefs, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isAdvertisement = request.url === '/repository/info/refs?service=git-upload-pack';
  if (!isAdvertisement && request.url !== '/repository/git-upload-pack') {
    response.writeHead(404).end();
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const protocol = request.headers['git-protocol'];
  const stream = await repository.uploadPack(shown, {
    operation: isAdvertisement ? 'advertise' : 'upload-pack',
    body: request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request,
    signal: gone.signal,
    ...(typeof protocol === 'string' ? { protocol } : {}),
  });
  response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${isAdvertisement ? 'advertisement' : 'result'}` });
  await pipeline(Readable.from(stream), response);
}
