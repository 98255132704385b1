import type { HttpBody, HttpRequest, HttpResponse } from '@granary/contract/ports';
import { describe, expect, it } from 'vitest';
import { openTestSite } from './test/site.ts';

const whole = (text: string): HttpBody => ({ type: 'whole', bytes: Buffer.from(text) });
async function post(target: string, body: HttpBody = whole('ask')): Promise<HttpResponse> {
  const request: HttpRequest = { method: 'POST', target, headers: {}, body: async (maxBytes) => (maxBytes === 10 ? body : whole('another limit')) };
  return await openTestSite().serve.handle(request);
}
const said = ({ body }: HttpResponse) => (body instanceof Uint8Array ? Buffer.from(body).toString() : '');

describe('a question', () => {
  it('is answered by the ecosystem, in every view', async () => {
    for (const view of ['', '/verified', '/as-of/2025-01-01T00:00:00Z']) {
      const answer = await post(`${view}/tiny/ask/back`);

      expect([answer.status, said(answer)]).toEqual([200, 'ksa']);
      expect(answer.headers).toEqual(['content-type', 'text/plain', 'content-length', '3', 'cache-control', 'no-store', 'x-content-type-options', 'nosniff']);
    }
  });

  it('about advisories is refused where none are configured, with the setting', async () => {
    const answer = await post('/tiny/ask/advisories');

    expect([answer.status, answer.reason]).toEqual([424, expect.stringContaining('advisories: {folder: PATH}')]);
  });

  it('whose body is not read is refused as the host says', async () => {
    const answer = await post('/tiny/ask/back', { type: 'refused', status: 413, why: 'the body has more than 10 bytes' });

    expect([answer.status, answer.reason]).toEqual([413, 'Granary does not read this: the body has more than 10 bytes']);
  });

  it('is asked with POST, and nothing else is', async () => {
    const asked = await openTestSite().get('/tiny/ask/back');
    const others = await Promise.all(['/tiny/index/box/', '/', '/releases/x', '/nothing/there', '/verified/nothing'].map((target) => post(target)));

    expect([asked.status, asked.headers['allow']]).toEqual([405, 'POST']);
    expect(others.map(({ status, headers }) => [status, headers.slice(-2)])).toEqual(Array(5).fill([405, ['allow', 'GET, HEAD']]));
  });
});
