import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodePacket, encodeSpecial } from '@granary/core/git';
import { blobOf, commitOf, idOf, type RawObject, rawPack, treeOf } from './raw-pack.ts';

/** What is asked of a git server over smart HTTP (gitprotocol-http, gitprotocol-v2), and its answer to each. */
export interface Answers {
  readonly announce: Answer;
  readonly list: Answer;
  readonly fetch: Answer;
}
export type Answer = (response: ServerResponse, asked: AskedOf) => void;
export interface AskedOf {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** A service that only this machine reaches, and that nobody configured. */
  readonly inside: string;
}

/** Hosts of a forge, each behind a port of its own, so that what is asked of one holds up no other. */
export interface HostileForge extends AsyncDisposable {
  /** `repositories.insteadOf` of a site that watches `https://<host>.example/…`. */
  readonly insteadOf: Readonly<Record<string, string>>;
  /** How often each host was asked for its refs. */
  readonly looks: ReadonlyMap<string, number>;
  readonly askedInside: readonly string[];
  /** Answers whose client hasn't heard their end. */
  readonly underWay: ReadonlySet<ServerResponse>;
  /** What a host answers from now on, instead of what an honest one does. */
  host(name: string, answers?: Partial<Answers>): Promise<string>;
}

export const TREE = treeOf(['100644', 'text', blobOf('one\n')]);
export const TIP = commitOf(TREE);
export const TIP_ID = idOf(TIP);
export const PACK = rawPack([TIP, TREE, blobOf('one\n')]);
const MAX_QUESTION_BYTES = 16 * 2 ** 20;

const HONEST: Answers = {
  announce: announcing(),
  list: listing([`${TIP_ID} HEAD symref-target:refs/heads/main`, `${TIP_ID} refs/heads/main`]),
  fetch: packing(PACK),
};

export async function openHostileForge(): Promise<HostileForge> {
  const answers = new Map<string, Answers>();
  const insteadOf: Record<string, string> = {};
  const looks = new Map<string, number>();
  const askedInside: string[] = [];
  const underWay = new Set<ServerResponse>();
  const servers: Server[] = [];
  const listen = async (listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  const inside = await listen((request, response) => {
    askedInside.push(request.url ?? '');
    response.end('secret');
  });
  const answer = async (name: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    const path = request.url ?? '';
    const body = await bodyOf(request);
    const { announce, list, fetch } = answers.get(name) ?? HONEST;
    if (path.includes('/info/refs')) looks.set(name, (looks.get(name) ?? 0) + 1);
    const asked = { path, headers: request.headers, body, inside };
    if (request.method === 'GET') announce(response, asked);
    else if (body.includes('command=ls-refs')) list(response, asked);
    else fetch(response, asked);
  };
  return {
    ...{ insteadOf, looks, askedInside, underWay },
    async host(name, changed = {}) {
      answers.set(name, { ...HONEST, ...changed });
      const key = `https://${name}.example/`;
      insteadOf[key] ??= await listen((request, response) => void answer(name, request, response).catch(() => response.destroy()));
      return `${key}x`;
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

/** The capabilities of a server that speaks protocol v2. */
export function announcing(objectFormat = 'sha1'): Answer {
  const lines = ['version 2\n', 'agent=git/test\n', 'ls-refs=unborn\n', 'fetch=shallow\n', `object-format=${objectFormat}\n`];
  return answering('advertisement', [
    encodePacket('# service=git-upload-pack\n'),
    encodeSpecial('flush'),
    ...lines.map((line) => encodePacket(line)),
    encodeSpecial('flush'),
  ]);
}

/** Lines as `ls-refs` has them. */
export function listing(lines: readonly (string | Uint8Array)[]): Answer {
  return answering('result', [...lines.map((line) => encodePacket(line)), encodeSpecial('flush')]);
}

/** A repository whose only branch is this commit, and all that is sent of it. */
export function holding(tip: RawObject, pack: Uint8Array): Partial<Answers> {
  return { list: listing([`${idOf(tip)} refs/heads/main`]), fetch: packing(pack) };
}

/** As {@link holding}, with a `HEAD`. */
export function holdingHead(tip: RawObject, pack: Uint8Array): Pick<Answers, 'list' | 'fetch'> {
  return { list: listing([`${idOf(tip)} HEAD symref-target:refs/heads/main`, `${idOf(tip)} refs/heads/main`]), fetch: packing(pack) };
}

/** A pack in the side band, then what else there is; `open`: and no end. */
export function packing(pack: Uint8Array, ...after: readonly Uint8Array[]): Answer {
  return answering('result', [...packBegun(pack), ...(after.length === 0 ? [encodeSpecial('flush')] : after)]);
}

export function packBegun(pack: Uint8Array): readonly Uint8Array[] {
  const bands: Uint8Array[] = [encodePacket('packfile\n')];
  for (let at = 0; at < pack.length; at += 60_000) bands.push(band(1, pack.subarray(at, at + 60_000)));
  return bands;
}

/** gitprotocol-pack, side-band: 1 is the pack, 2 progress, 3 an error. */
export function band(number: 1 | 2 | 3, bytes: Uint8Array | string): Uint8Array {
  return encodePacket(Buffer.concat([Buffer.from([number]), Buffer.from(bytes)]));
}

export function answering(type: 'advertisement' | 'result', parts: readonly Uint8Array[]): Answer {
  return (response) => void response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${type}` }).end(Buffer.concat(parts));
}

/** First these bytes, then the others over and over, at the client's pace and until it has enough. */
export function endless(type: 'advertisement' | 'result', first: readonly Uint8Array[], next: () => Uint8Array): Answer {
  return (response) => {
    const pump = (): void => {
      while (!response.destroyed && response.write(next()));
    };
    response.on('drain', pump);
    response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${type}` });
    response.write(Buffer.concat(first));
    pump();
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('latin1')) {
    body += String(chunk);
    if (body.length > MAX_QUESTION_BYTES) throw new RangeError('a question without an end');
  }
  return body;
}
