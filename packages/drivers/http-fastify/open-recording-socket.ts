import { createHash } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import type { HttpHandler } from '@granary/contract/ports';
import { type Sha256, toSha256 } from '@granary/core/model';
import { HttpError } from './http-error.ts';
import { type HttpServer, openHttpServer } from './open-http-server.ts';
import type { Tap } from './send.ts';

/** sun_path holds 108 bytes, the last of them zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** One answer that was given, and what its body was. */
export interface Served {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Of the body's bytes as they were sent; the socket's answers are never compressed. */
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** False when the client left, or we broke off. */
  readonly complete: boolean;
}
export interface RecordingSocketOptions {
  readonly path: string;
  readonly handler: HttpHandler;
  /** Called for every request, before the client can know that the answer has ended. */
  readonly onServed: (served: Served) => void;
  readonly onError?: (error: unknown) => void;
}

/** Hosts a handler on a unix socket for one run, which only this user may open. What lay at the path is replaced; closing removes it. */
export async function openRecordingSocket({ path, handler, onServed, onError }: RecordingSocketOptions): Promise<HttpServer> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES)
    throw new HttpError('bad-path', `listen on ${path}: a socket's path has at most ${MAX_SOCKET_PATH_BYTES} bytes`);
  await rm(path, { force: true });
  const server = await openHttpServer({
    listen: { path },
    // Whoever reads the record wants digests of content, not of a compressor's output.
    handler: (request) => handler({ ...request, headers: { ...request.headers, 'accept-encoding': 'identity' } }),
    tap: (request) => recorder(request, onServed),
    drainMs: 500,
    ...(onError === undefined ? {} : { onError }),
  });
  await chmod(path, 0o600);
  const close = async () => {
    await server.close();
    await rm(path, { force: true });
  };
  return { address: server.address, close, [Symbol.asyncDispose]: close };
}

function recorder({ method, target }: { readonly method: string; readonly target: string }, onServed: (served: Served) => void): Tap {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let ended = false;
  return {
    chunk(bytes) {
      hash.update(bytes);
      sizeBytes += bytes.length;
    },
    end({ status, complete }) {
      if (!ended) onServed({ method, target, status, sha256: toSha256(hash.digest('hex')), sizeBytes, complete });
      ended = true;
    },
  };
}
