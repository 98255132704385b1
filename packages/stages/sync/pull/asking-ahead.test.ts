import { type Upstream, UpstreamError, type UpstreamRequest } from '@granary/contract/ports';
import { toInstant } from '@granary/core/model';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openAskingAhead } from './asking-ahead.ts';

const URL = 'http://upstream.example/box-1';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('hands the answer that is on its way to who wants it, once', async () => {
  const { ahead, asked } = openTestUpstream();
  ahead.ask(URL, 1000);
  ahead.ask(URL, 1000);

  const bodies = [await ahead.upstream.open({ url: URL, maxBytes: 1000 }), await ahead.upstream.open({ url: URL, maxBytes: 1000 })];

  expect(await Promise.all(bodies.map(textOf))).toEqual(['granary', 'granary']);
  expect(asked.map(({ url }) => url)).toEqual([URL, URL]);
});

it('is not taken for another question', async () => {
  const { ahead, asked } = openTestUpstream();
  ahead.ask(URL, 1000);

  await ahead.upstream.open({ url: URL, maxBytes: 1000, accept: 'application/json' });
  await ahead.upstream.open({ url: `${URL}.sig`, maxBytes: 1000 });

  expect(asked).toHaveLength(3);
});

it('ends with who took it, within the limit of who took it', async () => {
  const { ahead, asked } = openTestUpstream();
  const leaving = new AbortController();
  ahead.ask(URL, 1000);

  const response = await ahead.upstream.open({ url: URL, maxBytes: 6, signal: leaving.signal });
  await expect(textOf(response)).rejects.toMatchObject({ code: 'too-large' });
  leaving.abort(new Error('gone'));

  expect(asked[0]?.signal?.reason).toEqual(new Error('gone'));
});

it('asks once more where it failed', async () => {
  const { ahead, fail } = openTestUpstream();
  fail(1);
  ahead.ask(URL, 1000);

  expect(await textOf(await ahead.upstream.open({ url: URL, maxBytes: 1000 }))).toBe('granary');
});

it('gives up what nobody wants after a while, and at the end', async () => {
  const { ahead, asked } = openTestUpstream();
  ahead.ask(URL, 1000);
  await vi.advanceTimersByTimeAsync(9999);
  const early = asked[0]?.signal?.aborted;
  await vi.advanceTimersByTimeAsync(1);
  ahead.ask(URL, 1000);
  ahead[Symbol.dispose]();

  expect([early, ...asked.map(({ signal }) => signal?.aborted)]).toEqual([false, true, true]);
});

it('leaves room at the host for what tells whether it is wanted', () => {
  const { ahead, asked } = openTestUpstream();

  for (let number = 0; number < 13; number += 1) ahead.ask(`${URL}${number}`, 1000);

  expect(asked).toHaveLength(12);
});

function openTestUpstream() {
  const asked: UpstreamRequest[] = [];
  let failures = 0;
  const upstream: Upstream = {
    async open(request) {
      asked.push(request);
      failures -= 1;
      if (failures >= 0) throw new UpstreamError('unreachable', request.url, 'no answer');
      const body = (async function* () {
        yield Buffer.from('granary');
      })();
      return { status: 'ok', url: request.url, contentType: '', at: toInstant(0), body };
    },
  };
  return {
    ahead: openAskingAhead(upstream),
    asked,
    fail: (times: number) => {
      failures = times;
    },
  };
}

async function textOf(response: Awaited<ReturnType<Upstream['open']>>): Promise<string> {
  return response.status === 'ok' ? Buffer.concat(await Array.fromAsync(response.body)).toString() : response.status;
}
