import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to the next bytes that come this way. The server works on what it was sent, whatever becomes of its answer. */
export interface Cut {
  readonly lose: 'request' | 'answer';
  /** One that stays open says nothing more. */
  readonly connection: 'ends' | 'stays';
  /** Runs before the connection ends. */
  readonly before?: () => Promise<void>;
}
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  arm(cut: Cut): void;
}

/** Loopback TCP in front of a server, which loses one request or one answer when it is told to. */
export async function openCuttingProxy(serverPort: number): Promise<CuttingProxy> {
  let armed: Cut | undefined;
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket, lost: Cut['lose']): void => {
    let isCut = false;
    from.on('data', (bytes: Buffer) => {
      if (armed?.lose === lost && !isCut) {
        const { connection, before } = armed;
        armed = undefined;
        isCut = true;
        const end = () => {
          if (connection === 'ends') for (const socket of [from, to]) socket.destroy();
        };
        void (before?.() ?? Promise.resolve()).then(end);
      }
      if (!isCut) to.write(bytes);
    });
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket.setNoDelay());
    carry(client, upstream, 'request');
    carry(upstream, client, 'answer');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    arm: (cut) => {
      armed = cut;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
