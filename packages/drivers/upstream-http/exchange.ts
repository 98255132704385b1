import type { Readable } from 'node:stream';
import { type Clock, UpstreamError, type UpstreamRequest } from '@granary/contract/ports';
import type { Instant } from '@granary/core/model';
import { type Dispatcher, request as undiciRequest } from 'undici';
import { DOCUMENT_ENCODINGS } from './decode-document.ts';
import type { HostBudget } from './host-budget.ts';
import { upstreamErrorOf } from './upstream-error.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** RFC 9110 15.4: after these the method and the body stay. */
const REDIRECTS_OF_POST: ReadonlySet<number> = new Set([307, 308]);

export interface ExchangePorts {
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly userAgent: string;
  readonly stallMs: number;
  readonly budgetOf: (url: URL) => HostBudget;
  /** Credentials for an origin, where its configured address carries some. */
  readonly authorizationOf: (url: URL) => string | undefined;
}

/** The final answer to a request, after redirects. `body` holds a place in its host's budget until it is closed. */
export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Readable;
  readonly at: Instant;
  readonly budget: HostBudget;
}

/** Asks once, and follows where it is sent: at most five times, never from https to http, never to where the connector refuses. */
export async function exchange(ports: ExchangePorts, request: UpstreamRequest, signal: AbortSignal): Promise<Answer> {
  let url = parseUrl(request.url, request.url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await ask({ ...ports, url }, request, signal);
    const location = REDIRECTS.has(answer.status) ? answer.header('location') : undefined;
    if (location === undefined) return answer;
    answer.body.destroy();
    if (request.post !== undefined && !REDIRECTS_OF_POST.has(answer.status))
      throw new UpstreamError('bad-status', request.url, `post ${url.href}: status ${answer.status}, which would lose what is asked`, {
        status: answer.status,
      });
    url = redirected(url, location, request.url);
  }
  throw new UpstreamError('too-many-redirects', request.url, `get ${request.url}: more than ${MAX_REDIRECTS} redirects, the last to ${url.href}`);
}

function redirected(from: URL, location: string, requested: string): URL {
  const to = parseUrl(location, requested, from);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new UpstreamError('refused-address', requested, `get ${requested}: refused to be redirected from https to ${to.href}`);
  }
  return to;
}

/** Credentials in an address are dropped: those of configured upstreams are sent apart, and none is ever printed. */
function parseUrl(text: string, requested: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new UpstreamError('malformed', requested, `get ${requested}: ${JSON.stringify(text.slice(0, 200))} is not an address`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new UpstreamError('refused-address', requested, `get ${requested}: ${url.protocol} is not a scheme to read from`);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

async function ask(ports: ExchangePorts & { readonly url: URL }, request: UpstreamRequest, signal: AbortSignal): Promise<Answer> {
  const { url, clock } = ports;
  const { post, stallMs = ports.stallMs } = request;
  const budget = ports.budgetOf(url);
  const leave = await budget.enter(url.href, signal).catch((error: unknown) => {
    throw upstreamErrorOf(error, { url: url.href, phase: 'headers', signal: request.signal });
  });
  try {
    const { statusCode, headers, body } = await undiciRequest(url, {
      dispatcher: ports.dispatcher,
      ...(post === undefined ? {} : { method: 'POST', body: post.body }),
      headers: headersOf(ports, request),
      headersTimeout: stallMs,
      bodyTimeout: stallMs,
      signal,
    });
    body.once('close', leave);
    // The reader sees errors where it reads; a body that is thrown away has no reader.
    body.on('error', leave);
    return { url: url.href, status: statusCode, header: (name) => firstOf(headers[name]), body, at: clock.now(), budget };
  } catch (error) {
    leave();
    throw upstreamErrorOf(error, { url: url.href, phase: 'headers', signal: request.signal });
  }
}

function headersOf({ userAgent, authorizationOf, url }: ExchangePorts & { readonly url: URL }, request: UpstreamRequest): Record<string, string> {
  const { accept, isSmall = false, etag, headers, post } = request;
  const theirs = request.originHeaders !== undefined && URL.parse(request.url)?.origin === url.origin ? request.originHeaders : {};
  const authorization = theirs['authorization'] ?? authorizationOf(url);
  return {
    ...headers,
    ...theirs,
    'user-agent': userAgent,
    'accept-encoding': accept === undefined || isSmall ? 'identity' : DOCUMENT_ENCODINGS,
    accept: accept ?? '*/*',
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(post === undefined ? {} : { 'content-type': post.contentType }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
