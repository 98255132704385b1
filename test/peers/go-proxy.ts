import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bringGoTool, type GoTool, ServiceError } from '@granary/services';
import { type Peer, type PeerPlace, startPeer } from './peer.ts';

const GOPROXY: GoTool = { package: 'github.com/goproxy/goproxy/cmd/goproxy', version: 'v0.26.1' };

interface GoProxyPlace extends PeerPlace {
  /** Name of the checksum database that it passes questions on to, by way of its upstream. */
  readonly database: string;
}

/** Why it can't be had here, once it was tried; undefined when it is there. Not every Go proxy has every module. */
export async function whyNoGoProxy(): Promise<string | undefined> {
  try {
    await bringGoTool(GOPROXY);
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error.message.split('\n', 1)[0];
    throw error;
  }
}

/** A caching Go proxy, with the settings that docs/with-others.md names. */
export async function startGoProxy({ folder, upstream, database, inside }: GoProxyPlace): Promise<Peer> {
  const program = await bringGoTool(GOPROXY);
  mkdirSync(folder, { recursive: true });
  const base = upstream.replace(/\/$/, '');
  return await startPeer({
    argv: (port) => [
      program,
      ...['server', '--address', `127.0.0.1:${port}`, '--cacher-dir', join(folder, 'cache'), '--temp-dir', folder],
      ...['--proxied-sumdbs', `${database} ${base}/sumdb/${database}`],
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, GOENV: 'off', GOPROXY: base, GOSUMDB: database },
    cwd: folder,
    ready: '/',
    ...(inside === undefined ? {} : { inside }),
  });
}
