import http from 'node:http';
import https from 'node:https';
import type { ClientOptions } from 'minio';
import { readAtMost } from './answer-body.ts';
import { faultOfAnswer, S3Fault } from './s3-fault.ts';
import { MIN_BYTES_PER_SECOND, type Patience } from './s3-service.ts';

const MAX_REFUSAL_BYTES = 65_536;
/** A service may put together the parts of a large object before it answers. */
const POST_PATIENCE = 10;
type OnAnswer = (answer: http.IncomingMessage) => void;

/**
 * The connections that minio's client asks through. Its own way retries inside, says so on the console, loses the status of what it gave up, and
 * waits for ever: so here every request has a deadline, and every answer that isn't a success becomes an S3Fault before the client sees it.
 */
export interface S3Transport {
  readonly options: Required<Pick<ClientOptions, 'transport' | 'transportAgent'>>;
  close(): void;
}

export function openTransport(scheme: 'http' | 'https', patience: Patience): S3Transport {
  const agent = scheme === 'https' ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  const send = scheme === 'https' ? https.request : http.request;

  function request(options: http.RequestOptions | string | URL, onAnswer?: OnAnswer | http.RequestOptions): http.ClientRequest {
    if (typeof options === 'string' || options instanceof URL || typeof onAnswer !== 'function') throw new TypeError('a request is asked for by its options');
    return watched(send(options), { options, onAnswer, patience });
  }
  return { options: { transport: { request }, transportAgent: agent }, close: () => agent.destroy() };
}

interface Watch {
  readonly options: http.RequestOptions;
  readonly onAnswer: OnAnswer;
  readonly patience: Patience;
}

function watched(sent: http.ClientRequest, { options, onAnswer, patience }: Watch): http.ClientRequest {
  const deadlineMs = answerDeadlineMs(options, patience);
  const late = (): S3Fault => new S3Fault('transient', `no answer within ${Math.ceil(deadlineMs / 1000)} s`);
  const deadline = setTimeout(() => sent.destroy(late()), deadlineMs);
  sent.once('close', () => clearTimeout(deadline));
  sent.once('response', (answer) => {
    clearTimeout(deadline);
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) {
      void refusal(answer, status, patience).then((fault) => sent.emit('error', fault));
      return;
    }
    if (!isObject(options)) endWithin(answer, deadlineMs, late);
    onAnswer(answer);
  });
  return sent;
}

/** minio's client reads to the end what isn't an object, however long that takes. */
function endWithin(answer: http.IncomingMessage, milliseconds: number, late: () => S3Fault): void {
  const deadline = setTimeout(() => answer.destroy(late()), milliseconds);
  answer.once('close', () => clearTimeout(deadline));
}

/** Reads of objects have no query, and are watched by who reads them. */
function isObject({ method, path }: http.RequestOptions): boolean {
  return method === 'GET' && path?.includes('?') === false;
}

async function refusal(answer: http.IncomingMessage, status: number, patience: Patience): Promise<S3Fault> {
  const body = await readAtMost(answer, MAX_REFUSAL_BYTES, patience).catch(() => undefined);
  return faultOfAnswer(status, new TextDecoder().decode(body));
}

function answerDeadlineMs({ method, headers }: http.RequestOptions, { answerMs }: Patience): number {
  const length = headers !== undefined && 'content-length' in headers ? Number(headers['content-length']) : 0;
  return answerMs * (method === 'POST' ? POST_PATIENCE : 1) + (length / MIN_BYTES_PER_SECOND) * 1000;
}
