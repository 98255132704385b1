import type { HttpRequest, HttpResponse, Readers } from '@granary/contract/ports';
import { isTokenOf, tokenOfAuthorization } from '@granary/core/access';
import { LRUCache } from 'lru-cache';
import { lineAnswer } from './answers.ts';
import { onceATurn } from './once-a-turn.ts';
import type { Target } from './target.ts';

/** Headers of readers that were let in: the next look costs no hashing. */
const REMEMBERED_HEADERS = 4096;
/** What answers whoever looks after the process: whether it lives, whether it should get traffic. */
const OPEN: ReadonlySet<string> = new Set(['healthz', 'readyz']);

/** Lets in who shows a token of ours. */
export interface Gate {
  /** Why the request isn't answered; undefined when it is. */
  refusal(target: Target, request: HttpRequest): HttpResponse | undefined;
}

export function openGate(readers: Readers, publicUrl: string): Gate {
  const admitted = new LRUCache<string, true>({ max: REMEMBERED_HEADERS });
  const revision = onceATurn(() => readers.revision());
  let admittedAt = revision();
  const mayRead = (header: string | undefined): 'yes' | 'no' | 'unnamed' => {
    if (header === undefined) return 'unnamed';
    if (admittedAt !== revision()) admitted.clear();
    admittedAt = revision();
    if (admitted.has(header)) return 'yes';
    const shown = tokenOfAuthorization(header);
    const token = shown && readers.tokenOf(shown.id);
    if (shown === undefined || token === undefined || !isTokenOf(shown, token)) return 'no';
    admitted.set(header, true);
    return 'yes';
  };
  return {
    refusal(target, { headers }) {
      if (target.type === 'site' && target.segments.length === 1 && OPEN.has(target.segments[0] ?? '')) return undefined;
      const { authorization } = headers;
      const answer = mayRead(typeof authorization === 'string' ? authorization : undefined);
      if (answer === 'yes') return undefined;
      const line =
        answer === 'no'
          ? 'Granary knows no such token, or no longer: ask whoever runs this mirror for another'
          : 'Granary answers here only those who show a token: ask whoever runs this mirror for one';
      return lineAnswer(401, line, challenges(target, publicUrl));
    },
  };
}

/** RFC 9110 11.6.1: one field per scheme, since not every client takes a list apart. */
function challenges(target: Target, publicUrl: string): readonly string[] {
  const own = target.type === 'client' ? target.ecosystem.views.challenge?.(publicUrl) : undefined;
  return ['Bearer realm="Granary"', 'Basic realm="Granary", charset="UTF-8"', ...(own === undefined ? [] : [own])].flatMap((challenge) => [
    'www-authenticate',
    challenge,
  ]);
}

/** RFC 9111 3.5: what says `public` is kept by caches on the way, and given to those without a token. */
export function forOneReader(response: HttpResponse): HttpResponse {
  const at = response.headers.indexOf('cache-control') + 1;
  const value = at === 0 ? undefined : response.headers[at];
  return value?.startsWith('public') === true ? { ...response, headers: response.headers.with(at, `private${value.slice('public'.length)}`) } : response;
}
