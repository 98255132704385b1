import type { HttpRequest, HttpResponse } from '@granary/contract/ports';

/** The value of a header that may stand once. */
export function headerOf({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

/** RFC 9110 13.1.2: weak comparison; `*` is any. */
export function noneMatchFails(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag || header.trim() === '*') return true;
  return header.split(',', 64).some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** A line of text, which is also the reason phrase: pip and uv print no more than that. */
export function lineAnswer(status: number, line: string, headers: readonly string[] = []): HttpResponse {
  const reason = oneAsciiLine(line);
  const body = Buffer.from(`${status} ${reason}\n`);
  return {
    status,
    reason,
    body,
    headers: [
      'content-type',
      'text/plain; charset=utf-8',
      'content-length',
      String(body.length),
      'cache-control',
      'no-cache',
      'x-content-type-options',
      'nosniff',
      ...headers,
    ],
  };
}

export function jsonAnswer(value: unknown, status = 200): HttpResponse {
  const body = Buffer.from(JSON.stringify(value));
  return {
    status,
    body,
    headers: ['content-type', 'application/json', 'content-length', String(body.length), 'cache-control', 'no-cache', 'x-content-type-options', 'nosniff'],
  };
}

export function redirectAnswer(location: string): HttpResponse {
  return { status: 301, headers: ['location', location, 'content-length', '0', 'cache-control', 'public, max-age=60'] };
}

/** Names and reasons come from others: a status line holds printable ASCII, and has an end. */
function oneAsciiLine(text: string): string {
  return text.replace(/[^\u0020-\u007e]+/g, '?').slice(0, 600);
}
