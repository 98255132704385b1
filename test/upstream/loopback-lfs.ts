import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/** A server of git before which large files are answered for, as a forge does it. */
export interface LoopbackLfs {
  /** `http://127.0.0.1:3000/`: names of repositories follow. */
  readonly base: string;
  /** Digests of files that were given out, in turn. */
  readonly sent: readonly string[];
  close(): Promise<void>;
}

const MEDIA_TYPE = 'application/vnd.git-lfs+json';
const Batch = z.object({
  operation: z.literal('download'),
  transfers: z.array(z.string()).optional(),
  objects: z.array(z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number() })).max(100),
});
const BATCH = /^\/(.+\.git)\/info\/lfs\/objects\/batch$/;
const FILE = /^\/(.+\.git)\/files\/([0-9a-f]{64})$/;

/** Serves large files where git-lfs puts them that pushes to a folder: `<repository>/lfs/objects`. Whoever asks for one shows what the answer to the batch said. */
export async function openLoopbackLfs(folder: string, gitBase: string): Promise<LoopbackLfs> {
  const sent: string[] = [];
  const token = `Bearer ${randomBytes(8).toString('hex')}`;
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '/', method, headers } = incoming;
    const [, ofBatch] = BATCH.exec(url) ?? [];
    const [, ofFile, oid] = FILE.exec(url) ?? [];
    if (ofBatch !== undefined && method === 'POST') return await answerBatch(incoming, response, { folder: join(folder, ofBatch), repository: ofBatch, token });
    if (ofFile === undefined || oid === undefined) return await forward(incoming, response, gitBase);
    if (headers.authorization !== token) return void response.writeHead(403).end();
    const path = pathOf(join(folder, ofFile), oid);
    sent.push(oid);
    response.writeHead(200, { 'content-length': (await stat(path)).size });
    await pipeline(createReadStream(path), response);
  };
  const server = createServer((incoming, response) => void answer(incoming, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sent,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Store {
  readonly folder: string;
  readonly repository: string;
  readonly token: string;
}

async function answerBatch(incoming: IncomingMessage, response: ServerResponse, { folder, repository, token }: Store): Promise<void> {
  const asked = Batch.safeParse(JSON.parse(Buffer.concat(await Array.fromAsync(incoming)).toString())).data;
  if (asked === undefined || incoming.headers.accept !== MEDIA_TYPE || incoming.headers['content-type'] !== MEDIA_TYPE)
    return void response.writeHead(422, { 'content-type': MEDIA_TYPE }).end('{"message":"not a batch"}');
  const objects = await Promise.all(
    asked.objects.map(async ({ oid, size }) => {
      const isHere = await stat(pathOf(folder, oid)).then(
        () => true,
        () => false,
      );
      const download = { href: `http://${incoming.headers.host}/${repository}/files/${oid}`, header: { Authorization: token }, expires_in: 600 };
      return { oid, size, ...(isHere ? { authenticated: true, actions: { download } } : { error: { code: 404, message: 'Object does not exist' } }) };
    }),
  );
  response.writeHead(200, { 'content-type': MEDIA_TYPE }).end(JSON.stringify({ transfer: 'basic', objects }));
}

function pathOf(folder: string, oid: string): string {
  return join(folder, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
}

async function forward(incoming: IncomingMessage, response: ServerResponse, gitBase: string): Promise<void> {
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, headers, url = '/' } = incoming;
    incoming.pipe(request(new URL(url, gitBase), { method, headers }, resolve).on('error', reject));
  });
  response.writeHead(answered.statusCode ?? 502, answered.headers);
  await pipeline(answered, response);
}
