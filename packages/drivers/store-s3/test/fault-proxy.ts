import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What happens to one request on its way. `*-lost` never reaches the service; `*-kept` is carried out, and the client isn't told.
 * `error-in-200-*` says 200 and means an error. `trickle` and `truncated` spoil the answer of a request that was carried out.
 */
export const FAULTS = [
  'error-500-lost',
  'error-500-kept',
  'slow-down',
  'reset-lost',
  'reset-kept',
  'error-in-200-lost',
  'error-in-200-kept',
  'silence',
  'trickle',
  'truncated',
] as const;
export type Fault = (typeof FAULTS)[number];
/** One request as it came, counted from 1. */
export interface ProxiedRequest {
  readonly number: number;
  readonly method: string;
  readonly path: string;
}

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Decides about every request from now on; asked once for each. */
  decide(by: (request: ProxiedRequest) => Fault | undefined): void;
  /** How often each fault was made. */
  readonly made: ReadonlyMap<Fault, number>;
  requests(): number;
}

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const error = (code: string): Buffer => Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>made by the proxy</Message></Error>`);

/** Stands in front of a real service on loopback. Signatures cover the address that the client asked for, which the service is told as it came. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const made = new Map<Fault, number>();
  let number = 0;
  let decideOn: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const server = createServer((asked, answering) => {
    number += 1;
    const fault = decideOn({ number, method: asked.method ?? '', path: asked.url ?? '' });
    if (fault !== undefined) made.set(fault, (made.get(fault) ?? 0) + 1);
    // The client or the service went away: so does this exchange.
    pass(target, asked, answering, fault).catch(() => answering.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a listening TCP server has an address');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    decide: (by) => {
      decideOn = by;
    },
    made,
    requests: () => number,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function pass(target: string, asked: IncomingMessage, answering: ServerResponse, fault: Fault | undefined): Promise<void> {
  const body = await buffer(asked);
  const answer = isLost(fault) ? undefined : await forward(target, asked, body);
  switch (fault) {
    case 'silence':
      return;
    case undefined:
      return finish(answering, answer);
    case 'error-500-lost':
    case 'error-500-kept':
      return finish(answering, { status: 500, headers: [], body: error('InternalError') });
    case 'slow-down':
      return finish(answering, { status: 503, headers: [], body: error('SlowDown') });
    case 'error-in-200-lost':
    case 'error-in-200-kept':
      return finish(answering, { status: 200, headers: ['content-type', 'application/xml'], body: error('InternalError') });
    case 'reset-lost':
    case 'reset-kept':
      return void asked.socket.destroy();
    case 'truncated':
      return truncate(answering, answer);
    case 'trickle':
      return trickle(answering, answer);
  }
}

/** Whether the service never hears of it. */
function isLost(fault: Fault | undefined): boolean {
  return fault === 'silence' || fault === 'slow-down' || fault?.endsWith('-lost') === true;
}

async function forward(target: string, asked: IncomingMessage, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(target);
  const sent = request({ hostname, port, method: asked.method, path: asked.url, headers: asked.rawHeaders, agent: false });
  sent.end(body);
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  if (answer === undefined) throw new TypeError('an answer comes with its event');
  return { status: answer.statusCode ?? 0, headers: withoutConnection(answer.rawHeaders), body: await buffer(answer) };
}

function withoutConnection(raw: readonly string[]): readonly string[] {
  return raw.flatMap((text, at) => (at % 2 === 1 || /^(connection|keep-alive)$/i.test(text) ? [] : [text, raw[at + 1] ?? '']));
}

function finish(answering: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined) throw new TypeError('there is an answer to finish with');
  answering.writeHead(answer.status, [...answer.headers]);
  answering.end(answer.body);
}

/** Half of it, and the line is cut. */
async function truncate(answering: ServerResponse, answer: Answer | undefined): Promise<void> {
  if (answer === undefined || answer.body.length < 2) return void answering.destroy();
  answering.writeHead(answer.status, [...answer.headers]);
  answering.write(answer.body.subarray(0, answer.body.length / 2));
  await sleep(5);
  answering.destroy();
}

/** One byte now and then. */
async function trickle(answering: ServerResponse, answer: Answer | undefined): Promise<void> {
  if (answer === undefined || answer.body.length < 2) return finish(answering, answer);
  answering.writeHead(answer.status, [...answer.headers]);
  for (const byte of answer.body) {
    if (answering.destroyed) return;
    answering.write(Uint8Array.of(byte));
    await sleep(50);
  }
  answering.end();
}

/** A share of requests at fault, the same sequence for the same seed. https://doi.org/10.18637/jss.v008.i14 (xorshift32) */
export function seeded(seed: number, share: number, faults: readonly Fault[]): () => Fault | undefined {
  let state = seed;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 20; warmUp += 1) next();
  return () => (next() < share ? faults[Math.floor(next() * faults.length)] : undefined);
}
