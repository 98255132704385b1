import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry on loopback that answers nobody but who shows this. */
export interface Guarded extends AsyncDisposable {
  /** `http://127.0.0.1:…`. */
  readonly address: string;
  /** What it was shown, each once. */
  readonly shown: ReadonlySet<string | undefined>;
}

/** Stands before another, in whose documents its own address takes the place of the other's. */
export async function openGuarded(target: string, authorization: string): Promise<Guarded> {
  const shown = new Set<string | undefined>();
  let address = '';
  const server = createServer((message, response) => {
    shown.add(message.headers.authorization);
    if (message.headers.authorization !== authorization) return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    const { url = '/', method } = message;
    const forwarded = request(new URL(url, target), { method }, async (answer) => {
      const body = Buffer.concat(await Array.fromAsync(answer)).toString('latin1');
      const bytes = Buffer.from(body.replaceAll(new URL(target).origin, address), 'latin1');
      response
        .writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain', 'content-length': bytes.length })
        .end(bytes);
    });
    forwarded.on('error', () => response.destroy()).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    shown,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
