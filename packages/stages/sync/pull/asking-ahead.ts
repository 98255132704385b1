import { type Upstream, UpstreamError, type UpstreamRequest, type UpstreamResponse } from '@granary/contract/ports';

/** Asks an upstream for files while it isn't known yet whether they are wanted. */
export interface AskingAhead extends Disposable {
  /** Who opens the same address meanwhile gets the answer that is on its way. Nothing happens where enough is on its way. */
  ask(url: string, maxBytes: number): void;
  readonly upstream: Upstream;
}

/** Each holds a place at its host, where what tells whether it is wanted must find one too. */
const MAX_AHEAD = 12;
/** As long as a client waits for an index; then its connection is better used otherwise. */
const UNCLAIMED_MS = 10_000;

interface Ahead {
  readonly response: Promise<UpstreamResponse>;
  readonly ending: AbortController;
  readonly timer: NodeJS.Timeout;
}

export function openAskingAhead(upstream: Upstream): AskingAhead {
  const ahead = new Map<string, Ahead>();
  const drop = (url: string) => {
    const known = ahead.get(url);
    ahead.delete(url);
    clearTimeout(known?.timer);
    return known;
  };
  return {
    ask(url, maxBytes) {
      if (ahead.has(url) || ahead.size >= MAX_AHEAD) return;
      const ending = new AbortController();
      const response = upstream.open({ url, maxBytes, signal: ending.signal });
      // Whoever takes it learns of it; nobody has to.
      response.catch(() => undefined);
      ahead.set(url, { response, ending, timer: setTimeout(() => drop(url)?.ending.abort(unclaimed(url)), UNCLAIMED_MS).unref() });
    },
    upstream: {
      async open(request) {
        const taken = isPlain(request) ? drop(request.url) : undefined;
        return taken === undefined ? await upstream.open(request) : await takeOver(taken, request, upstream);
      },
    },
    [Symbol.dispose]() {
      for (const url of [...ahead.keys()]) drop(url)?.ending.abort(unclaimed(url));
    },
  };
}

function isPlain({ accept, etag, headers, post }: UpstreamRequest): boolean {
  return accept === undefined && etag === undefined && headers === undefined && post === undefined;
}

/** From now on it ends with whoever took it; what failed before is asked for once more. */
async function takeOver({ response, ending }: Ahead, request: UpstreamRequest, upstream: Upstream): Promise<UpstreamResponse> {
  const { signal, url, maxBytes } = request;
  if (signal?.aborted === true) ending.abort(signal.reason);
  signal?.addEventListener('abort', () => ending.abort(signal.reason), { once: true });
  const answer = await response.catch(() => upstream.open(request));
  return answer.status === 'ok' ? { ...answer, body: atMost(answer.body, { url, maxBytes }) } : answer;
}

/** It was asked for under another limit. */
async function* atMost(body: AsyncIterable<Uint8Array>, { url, maxBytes }: Pick<UpstreamRequest, 'url' | 'maxBytes'>): AsyncIterable<Uint8Array> {
  let received = 0;
  for await (const chunk of body) {
    received += chunk.length;
    if (received > maxBytes) throw new UpstreamError('too-large', url, `get ${url}: more than ${maxBytes} bytes`);
    yield chunk;
  }
}

function unclaimed(url: string): UpstreamError {
  return new UpstreamError('unreachable', url, `get ${url}: nobody wanted it after all`);
}
