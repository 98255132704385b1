import { type Clock, type SharedBudget, type Upstream, UpstreamError, type UpstreamRequest, type UpstreamResponse } from '@granary/contract/ports';
import { Agent } from 'undici';
import { authorityOf, guardedConnector } from './address-guard.ts';
import { decodeDocument } from './decode-document.ts';
import { type Answer, type ExchangePorts, exchange } from './exchange.ts';
import { type HostBudget, type HostBudgetLimits, hostBudget, MAX_WAIT_MS } from './host-budget.ts';
import { measuredBody } from './measured-body.ts';
import { backoffMs, retryAfterMs } from './retry-after.ts';
import { singleFlight } from './single-flight.ts';
import { isTransient, upstreamErrorOf } from './upstream-error.ts';

const MAX_ATTEMPTS = 4;
/** Documents are small; artifacts take as long as they go on arriving. */
const DOCUMENT_TIMEOUT_MS = 120_000;
const DEFAULT_BUDGET: HostBudgetLimits = { maxConcurrent: 8, requestsPerSecond: 20, burst: 20 };

export interface HttpUpstreamOptions {
  /** Base addresses of every upstream that is configured or was discovered. Only their hosts and ports may lie in private networks. */
  readonly configured: readonly string[];
  /** What an origin is shown as `Authorization`, and no other; goes before what stands in a configured address. */
  readonly credentials?: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** Per host. */
  readonly budgets?: HostBudgetLimits;
  /** What all processes together ask of a host, besides. */
  readonly sharedBudget?: SharedBudget;
  readonly userAgent: string;
  /** How long nothing (or nearly nothing) may arrive. */
  readonly stallMs?: number;
}

interface Document {
  readonly response: Exclude<UpstreamResponse, { status: 'ok' }> | (Omit<Extract<UpstreamResponse, { status: 'ok' }>, 'body'> & { readonly bytes: Uint8Array });
}

/**
 * Requests with `accept` are for documents: decoded and held whole, and where nothing but their address matters asked for once however many want them. Those without are for
 * artifacts: streamed as they lie on the wire.
 */
export function openHttpUpstream(options: HttpUpstreamOptions): Upstream & AsyncDisposable {
  const agent = new Agent({
    connect: guardedConnector(new Set(options.configured.map((base) => authorityOf(new URL(base))))),
    allowH2: false,
    maxHeaderSize: 32 * 1024,
    keepAliveTimeout: 10_000,
  });
  const ports = exchangePorts(options, agent);
  const documents = singleFlight<Document>();
  return {
    async open(asked) {
      // Messages name addresses.
      const request = { ...asked, url: withoutCredentials(asked.url) };
      if (request.accept === undefined) return patiently(ports, request, request.signal, artifact);
      if (request.post !== undefined || request.headers !== undefined || request.originHeaders !== undefined) {
        const { response } = await patiently(ports, request, request.signal, document);
        return whole(response);
      }
      const key = JSON.stringify([request.url, request.accept, request.etag, request.maxBytes]);
      const { response } = await documents(key, request.signal, (signal) => patiently(ports, request, signal, document));
      return whole(response);
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}

function whole(response: Document['response']): UpstreamResponse {
  if (response.status !== 'ok') return response;
  const { bytes, ...rest } = response;
  return { ...rest, body: wholeBody(bytes) };
}

function exchangePorts(options: HttpUpstreamOptions, dispatcher: Agent): ExchangePorts {
  const { configured, credentials: given = new Map(), clock, budgets = DEFAULT_BUDGET, sharedBudget, userAgent, stallMs = 30_000 } = options;
  const hosts = new Map<string, HostBudget>();
  const inAddresses = configured
    .map((base) => new URL(base))
    .filter(({ username, password }) => username !== '' || password !== '')
    .map((url) => [url.origin, basic(url)] as const);
  const credentials = new Map([...inAddresses, ...given]);
  return {
    clock,
    dispatcher,
    userAgent,
    stallMs,
    authorizationOf: ({ origin }) => credentials.get(origin),
    budgetOf(url) {
      const authority = authorityOf(url);
      const share = sharedBudget && { budget: sharedBudget, host: authority };
      const budget = hosts.get(authority) ?? hostBudget(clock, budgets, share);
      hosts.set(authority, budget);
      return budget;
    },
  };
}

type Reader<T> = (ports: ExchangePorts, answer: Answer, request: UpstreamRequest) => Promise<T>;

/** Tries again after faults of a moment, and waits as long as the host asks for. */
async function patiently<T>(ports: ExchangePorts, request: UpstreamRequest, signal: AbortSignal | undefined, read: Reader<T>): Promise<T> {
  const timeoutMs = request.timeoutMs ?? (request.accept === undefined ? undefined : DOCUMENT_TIMEOUT_MS);
  const timeout = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
  // One of its own for each request: who hands the same signal to many has no dozens of listeners on it.
  const combined = AbortSignal.any([...(signal === undefined ? [] : [signal]), ...timeout]);
  const own: UpstreamRequest = signal === undefined ? request : { ...request, signal };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read(ports, await politely(ports, own, combined), own);
    } catch (error) {
      const again = attempt < MAX_ATTEMPTS && !combined.aborted && (isTransient(error) || error instanceof Delayed);
      if (!again) throw error instanceof Delayed ? error.cause : error;
      await ports.clock.sleep(error instanceof Delayed ? error.waitMs : backoffMs(attempt), combined).catch((reason: unknown) => {
        throw upstreamErrorOf(reason, { url: request.url, phase: 'headers', signal });
      });
    }
  }
}

/** The host wants to be left alone for a moment. */
class Delayed extends Error {
  override readonly name = 'Delayed';
  readonly waitMs: number;
  constructor(waitMs: number, cause: UpstreamError) {
    super(cause.message, { cause });
    this.waitMs = waitMs;
  }
}

async function politely(ports: ExchangePorts, request: UpstreamRequest, signal: AbortSignal): Promise<Answer> {
  const answer = await exchange(ports, request, signal);
  const busy = answer.status === 429 || answer.status === 503;
  if (!busy && answer.status < 500 && answer.status !== 408) return answer;
  answer.body.destroy();
  const asked = retryAfterMs(answer.header('retry-after'), ports.clock.now());
  if (asked !== undefined) answer.budget.pause(asked);
  const error = new UpstreamError(
    busy ? 'busy' : 'bad-status',
    answer.url,
    `get ${answer.url}: status ${answer.status}${asked === undefined ? '' : `, retry after ${Math.ceil(asked / 1000)} s`}`,
    { status: answer.status },
  );
  if (asked !== undefined && asked > MAX_WAIT_MS) throw error;
  // The budget keeps the pause for everybody: what is left for this request is to come back.
  throw new Delayed(asked === undefined ? backoffMs(3) : backoffMs(0), error);
}

async function artifact({ stallMs }: ExchangePorts, answer: Answer, request: UpstreamRequest): Promise<UpstreamResponse> {
  const other = withoutBody(answer, request);
  if (other !== undefined) return other;
  const sizeBytes = announcedSize(answer, request);
  const limits = {
    url: answer.url,
    maxBytes: request.maxBytes,
    stallMs: request.stallMs ?? stallMs,
    signal: request.signal,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
  return { ...described(answer), ...(sizeBytes === undefined ? {} : { sizeBytes }), body: measuredBody(answer.body, limits) };
}

async function document(ports: ExchangePorts, answer: Answer, request: UpstreamRequest): Promise<Document> {
  const response = await artifact(ports, answer, request);
  if (response.status !== 'ok') return { response };
  const { body, ...rest } = response;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const bytes = await decodeDocument(Buffer.concat(chunks), answer.header('content-encoding'), { url: answer.url, maxBytes: request.maxBytes });
  return { response: { ...rest, sizeBytes: bytes.length, bytes } };
}

function withoutBody(answer: Answer, request: UpstreamRequest): Exclude<UpstreamResponse, { status: 'ok' }> | undefined {
  const { status, at } = answer;
  if (status === 200) return undefined;
  answer.body.destroy();
  if (status === 304 && request.etag !== undefined) return { status: 'not-modified', at };
  if (status === 404 || status === 410 || status === 451) return { status: 'not-found', code: status, at };
  throw new UpstreamError('bad-status', answer.url, `get ${answer.url}: status ${status}`, { status });
}

function announcedSize(answer: Answer, { maxBytes }: UpstreamRequest): number | undefined {
  const header = answer.header('content-length');
  if (header === undefined) return undefined;
  const sizeBytes = Number(header);
  if (sizeBytes <= maxBytes) return sizeBytes;
  answer.body.destroy();
  throw new UpstreamError('too-large', answer.url, `get ${answer.url}: ${header} bytes announced, at most ${maxBytes} wanted`);
}

function described(answer: Answer) {
  const etag = answer.header('etag');
  return { status: 'ok' as const, url: answer.url, contentType: answer.header('content-type') ?? '', at: answer.at, ...(etag === undefined ? {} : { etag }) };
}

async function* wholeBody(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** What isn't an address is left as it is, and refused later. */
function withoutCredentials(text: string): string {
  const url = text.includes('@') ? URL.parse(text) : null;
  if (url === null || (url.username === '' && url.password === '')) return text;
  url.username = '';
  url.password = '';
  return url.href;
}

function basic({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
}
