import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { HttpHandler, HttpRequest, HttpResponse, HttpStream } from '@granary/contract/ports';
import { type BodyMemory, requestBody } from './read-body.ts';
import { openTogether } from './write-together.ts';

/** A second write costs as much as copying about so many bytes. */
const MAX_ONE_WRITE = 64 * 1024;

/** Sees the bytes of one answer as they are sent. */
export interface Tap {
  chunk(bytes: Uint8Array): void;
  /** Called before the client can know that the answer has ended. */
  end(outcome: { readonly status: number; readonly complete: boolean }): void;
}
export interface Exchange {
  readonly message: IncomingMessage;
  readonly out: ServerResponse;
}
export interface AnswerOptions {
  readonly handler: HttpHandler;
  readonly onError?: (error: unknown) => void;
  readonly tap?: (request: { readonly method: string; readonly target: string }) => Tap;
}

const together = openTogether();

/** A request with a body is never answered in the same turn: the hot path is not this one. */
export async function answerPosted(options: AnswerOptions, exchange: Exchange, memory: BodyMemory): Promise<void> {
  const { message, out } = exchange;
  const target = message.url ?? '/';
  const tap = options.tap?.({ method: 'POST', target });
  const body = requestBody(message, memory);
  try {
    const response = await options.handler({ method: 'POST', target, headers: message.headers, body: body.read });
    // Whoever still sends something that nobody reads has asked for the last time on this connection.
    if (!message.complete) out.shouldKeepAlive = false;
    await send(response, out, tap);
  } catch (error) {
    fail(options, error, out, tap);
  } finally {
    body.release();
  }
}

/** Never throws. Answers in the same turn when the handler does: a cached answer is a look-up and a write. */
export function answer(options: AnswerOptions, message: IncomingMessage, out: ServerResponse): void {
  const method = message.method === 'HEAD' ? 'HEAD' : 'GET';
  const request: HttpRequest = { method, target: message.url ?? '/', headers: message.headers };
  const tap = options.tap?.(request);
  try {
    const response = options.handler(request);
    if (response instanceof Promise) void response.then((late) => send(late, out, tap)).catch((error: unknown) => fail(options, error, out, tap));
    else if (response.body === undefined || response.body instanceof Uint8Array) finishTogether(options, { response, body: response.body }, out, tap);
    else void sendStream(response, response.body, out, tap).catch((error: unknown) => fail(options, error, out, tap));
  } catch (error) {
    fail(options, error, out, tap);
  }
}

function finishTogether(
  options: AnswerOptions,
  { response, body }: { readonly response: HttpResponse; readonly body: Uint8Array | undefined },
  out: ServerResponse,
  tap: Tap | undefined,
): void {
  together(() => {
    try {
      sendBytes(response, body, out, tap);
    } catch (error) {
      fail(options, error, out, tap);
    }
  });
}

async function send(response: HttpResponse, out: ServerResponse, tap: Tap | undefined): Promise<void> {
  if (response.body === undefined || response.body instanceof Uint8Array) sendBytes(response, response.body, out, tap);
  else await sendStream(response, response.body, out, tap);
}

function sendBytes(response: HttpResponse, body: Uint8Array | undefined, out: ServerResponse, tap: Tap | undefined): void {
  // `close` comes after the last byte was handed over, or when the connection ends.
  if (response.release !== undefined) out.once('close', response.release);
  writeHead(response, out);
  if (tap !== undefined) {
    if (body !== undefined && out.req.method !== 'HEAD') tap.chunk(body);
    tap.end({ status: response.status, complete: !out.destroyed });
  }
  if (body === undefined || body.length > MAX_ONE_WRITE) out.end(body);
  // Node writes a text together with the headers, bytes apart from them. Latin-1 is the text whose characters are the bytes.
  else out.end(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'), 'latin1');
}

/** Made once: without a reason each abort makes an error of its own, with its stack. */
const GONE = new Error('the connection is gone');

async function sendStream(response: HttpResponse, body: HttpStream, out: ServerResponse, tap: Tap | undefined): Promise<void> {
  if (out.req.method === 'HEAD') return sendBytes(response, undefined, out, tap);
  const stream = await body.open();
  writeHead(response, out);
  const gone = new AbortController();
  out.once('close', () => gone.abort(GONE));
  for await (const chunk of stream) {
    if (out.destroyed) break;
    tap?.chunk(chunk);
    if (!out.write(chunk)) await once(out, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
  tap?.end({ status: response.status, complete: !out.destroyed });
  out.end();
}

function writeHead({ status, reason, headers }: HttpResponse, out: ServerResponse): void {
  // Node takes names and values in turn, but types them as mutable.
  out.writeHead(status, reason ?? STATUS_CODES[status] ?? 'Unknown', [...headers]);
}

function fail({ onError }: AnswerOptions, error: unknown, out: ServerResponse, tap: Tap | undefined): void {
  onError?.(error);
  tap?.end({ status: 500, complete: false });
  // Once bytes are out, only a broken connection tells the client that they are not all.
  if (out.headersSent) out.destroy();
  else out.writeHead(500, { 'content-type': 'text/plain; charset=utf-8', 'content-length': 35 }).end('500 Granary could not answer this.\n');
}
