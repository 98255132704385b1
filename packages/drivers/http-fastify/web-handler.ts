import type { HttpHandler } from '@granary/contract/ports';

/** Lets a handler of web `Request`s be hosted: for what is small and internal; bodies are held whole. */
export function webHandler(handle: (request: Request) => Promise<Response>): HttpHandler {
  return async ({ method, target, headers }) => {
    if (method === 'POST') return { status: 405, headers: ['allow', 'GET, HEAD', 'content-length', '0'] };
    const address = URL.parse(target, 'http://granary.invalid');
    if (address === null) return { status: 400, headers: ['content-length', '0'] };
    const response = await handle(new Request(address, { method, headers: webHeaders(headers) }));
    const body = new Uint8Array(await response.arrayBuffer());
    const fields = [...response.headers].filter(([name]) => name !== 'content-length').flat();
    return { status: response.status, headers: [...fields, 'content-length', String(body.length)], body };
  };
}

function webHeaders(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) result.set(name, typeof value === 'string' ? value : value.join(', '));
  return result;
}
