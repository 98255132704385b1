import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { open, read, serve } from './test/loopback.ts';

/** Notes what it is shown, and leads elsewhere from `/moved`. */
async function watchedServer(shown: (IncomingMessage['headers'] | undefined)[], elsewhere: () => string) {
  return await serve((incoming, response) => {
    shown.push(incoming.headers);
    if (incoming.url === '/moved') response.writeHead(302, { location: elsewhere() }).end();
    else response.end('bytes');
  });
}

it('what is for one origin is shown there, also after a redirect, and nowhere that this leads', async () => {
  const [shownHere, shownThere]: [IncomingMessage['headers'][], IncomingMessage['headers'][]] = [[], []];
  const there = await watchedServer(shownThere, () => '/');
  let target = `${there}/x`;
  const here = await watchedServer(shownHere, () => target);
  const upstream = open([here, there]);
  const originHeaders = { authorization: 'Bearer once', 'x-key': 'secret', 'user-agent': 'another', accept: 'x/y' };

  await read(upstream, { url: `${here}/moved`, originHeaders });
  target = '/x';
  await read(upstream, { url: `${here}/moved`, originHeaders });

  expect(shownHere.map(({ authorization, 'x-key': key }) => [authorization, key])).toEqual(Array(3).fill(['Bearer once', 'secret']));
  expect(shownHere[0]).toMatchObject({ 'user-agent': 'granary/test', accept: '*/*' });
  expect(shownThere.map(({ authorization, 'x-key': key }) => [authorization, key])).toEqual([[undefined, undefined]]);
});

it('it goes before what is configured for that origin, and comes in no message', async () => {
  const shown: IncomingMessage['headers'][] = [];
  const base = await serve((incoming, response) => {
    shown.push(incoming.headers);
    response.writeHead(403).end();
  });
  const upstream = open([base], { credentials: new Map([[base, 'Basic configured']]) });

  const refused = await read(upstream, { url: base, originHeaders: { authorization: 'Bearer once' } }).catch((error: unknown) => error);

  expect(shown.map(({ authorization }) => authorization)).toEqual(['Bearer once']);
  expect(String(refused)).not.toContain('once');
});
