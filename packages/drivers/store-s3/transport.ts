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
    return watched(send({ ...options, timeout: patience.stallMs }), { options, onAnswer, patience });
  }
  return { options: { transport: { request }, transportAgent: agent }, close: () => agent.destroy() };
}

interface Watch {
  readonly options: http.RequestOptions;
  readonly onAnswer: OnAnswer;
  readonly patience: Patience;
}

/** Held to time while it connects and sends, then until the answer begins, then, unless the reader sees to it, until it ends. */
function watched(sent: http.ClientRequest, { options, onAnswer, patience }: Watch): http.ClientRequest {
  const answerMs = patience.answerMs * (options.method === 'POST' ? POST_PATIENCE : 1);
  const giveUp = (why: string) => () => void sent.destroy(new S3Fault('transient', why));
  let deadline = setTimeout(giveUp('sending took too long'), patience.answerMs + sendingMs(options));
  sent.once('timeout', giveUp(`nothing moved for ${seconds(patience.stallMs)}`));
  sent.once('finish', () => {
    clearTimeout(deadline);
    sent.setTimeout(0);
    deadline = setTimeout(giveUp(`no answer within ${seconds(answerMs)}`), answerMs);
  });
  sent.once('close', () => clearTimeout(deadline));
  sent.once('response', (answer) => {
    // A service may refuse before it has read all.
    sent.setTimeout(0);
    clearTimeout(deadline);
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) {
      void refusal(answer, status, patience).then((fault) => sent.emit('error', fault));
      return;
    }
    if (!isObject(options)) endWithin(answer, answerMs);
    onAnswer(answer);
  });
  return sent;
}

/** minio's client reads to the end what isn't an object, however long that takes. */
function endWithin(answer: http.IncomingMessage, milliseconds: number): void {
  const deadline = setTimeout(() => answer.destroy(new S3Fault('transient', `the answer did not end within ${seconds(milliseconds)}`)), milliseconds);
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

function sendingMs({ headers }: http.RequestOptions): number {
  const length = headers !== undefined && 'content-length' in headers ? Number(headers['content-length']) : 0;
  return (length / MIN_BYTES_PER_SECOND) * 1000;
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}
