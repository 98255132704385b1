import { formatReaderToken, parseReaderId, type ReaderId } from '@granary/core/access';
import { type Sha256, sha256 } from '@granary/core/model';
import { beforeEach, expect, it } from 'vitest';
import { openTestSite, type TestSite } from './test/site.ts';

const token = tokenOf('0000000000000001');
const bearer = { authorization: `Bearer ${token}` };

let site: TestSite;
let registered: Map<ReaderId, Sha256>;
let revision = 0;

beforeEach(async () => {
  registered = new Map();
  register(token);
  site = openTestSite({ readers: { tokenOf: (id) => registered.get(id), revision: () => revision } });
  await site.observe([{ fileName: 'box-1.0' }]);
  await site.keep('box-1.0', { metadata: 'about it' });
});

const FILE = `/tiny/files/${sha256('box-1.0')}/box-1.0`;
const EVERYWHERE = ['/', '/tiny/index/', '/tiny/index/box/', '/tiny/index/Box', FILE, `${FILE}.metadata`, '/verified/tiny/index/box/', '/pull/tiny/index/box/'];
const ELSEWHERE = ['/metrics', '/ledger/checkpoint', '/api/v1/keys', '/releases/pkg:tiny/box@1.0', '/healthz/x', '/nothing', '/%zz', `/${'x'.repeat(5000)}`];

it.each([...EVERYWHERE, ...ELSEWHERE])('answers nobody without a token at %s', async (target) => {
  const answers = [await site.get(target), await site.head(target), await site.get(target, { authorization: 'Bearer nonsense' })];

  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(answers[0]?.text).not.toContain('box');
});

it('answers no question without a token either, and reads none', async () => {
  const body = async () => expect.fail('read what somebody sent who may not');

  expect((await site.serve.handle({ method: 'POST', target: '/tiny/index/box/', headers: {}, body })).status).toBe(401);
});

it.each([
  ['Bearer', bearer.authorization],
  ['Basic', `Basic ${Buffer.from(`anybody:${token}`).toString('base64')}`],
  ['the bare token', token],
])('answers who shows a token as %s', async (_how, authorization) => {
  const statuses: number[] = [];
  for (const target of EVERYWHERE.slice(0, 6)) statuses.push((await site.get(target, { authorization })).status);

  expect(statuses).toEqual([200, 200, 200, 301, 200, 200]);
});

it('tells every client how to come back', async () => {
  const { status, reason, headers } = await site.serve.handle({ method: 'GET', target: '/tiny/index/box/', headers: {} });

  const challenges = headers.filter((_, at) => headers[at - 1] === 'www-authenticate');
  expect([status, reason]).toEqual([401, 'Granary answers here only those who show a token: ask whoever runs this mirror for one']);
  expect(challenges).toEqual(['Bearer realm="Granary"', 'Basic realm="Granary", charset="UTF-8"', 'Tiny page="http://mirror.example"']);
});

it('lets whoever looks after the process see that it lives', async () => {
  expect([(await site.get('/healthz')).status, (await site.get('/readyz')).status]).toEqual([200, 200]);
});

it('answers no longer who was removed, however often that token was let in', async () => {
  const before = [await site.get(FILE, bearer), await site.get(FILE, bearer)];
  registered.clear();
  revision += 1;

  expect(before.map(({ status }) => status)).toEqual([200, 200]);
  expect((await site.get(FILE, bearer)).reason).toContain('knows no such token, or no longer');
});

it('takes no token for another one of the same reader, and none of another reader', async () => {
  const other = formatReaderToken(idOf('0000000000000001'), new Uint8Array(32).fill(9));
  const stranger = tokenOf('0000000000000002');

  expect([(await site.get(FILE, { authorization: other })).status, (await site.get(FILE, { authorization: stranger })).status]).toEqual([401, 401]);
});

it('keeps answering many readers after more of them came than are remembered', async () => {
  const tokens = Array.from({ length: 5000 }, (_, number) => tokenOf(number.toString(16).padStart(16, '0')));
  for (const one of tokens) register(one);

  const statuses = new Set<number>();
  for (const one of [...tokens, ...tokens.slice(0, 10)])
    statuses.add((await site.serve.handle({ method: 'GET', target: FILE, headers: { authorization: one } })).status);

  expect([...statuses]).toEqual([200]);
});

it('lets no cache on the way keep what was answered to one', async () => {
  const open = openTestSite();
  await open.observe([{ fileName: 'box-1.0' }]);
  await open.keep('box-1.0', { metadata: 'about it' });

  for (const target of EVERYWHERE.slice(1, 6)) {
    const etag = (await site.get(target, bearer)).headers['etag'];
    const mine = [await site.get(target, bearer), ...(etag === undefined ? [] : [await site.get(target, { ...bearer, 'if-none-match': etag })])];
    for (const { headers } of mine) expect([target, headers['cache-control']]).toEqual([target, expect.stringMatching(/^private, max-age=/)]);
    expect((await open.get(target)).headers['cache-control']).toMatch(/^public, max-age=/);
  }
});

it('asks for no token where a build reads its own view', async () => {
  const only = site.serve.only({ type: 'all' }, 'http://127.0.0.1:3128');

  expect((await only({ method: 'GET', target: '/tiny/index/box/', headers: {} })).status).toBe(200);
});

it('says no token anywhere: not in metrics, pages or refusals', async () => {
  const said: unknown[] = [];
  for (const target of [...EVERYWHERE, ...ELSEWHERE]) {
    const answer = await site.get(target, bearer);
    said.push(answer.text, JSON.stringify(answer.headers), answer.reason);
  }
  said.push((await site.get(`/${token}`, bearer)).status, (await site.get('/metrics', bearer)).text);

  expect(said.join('\n')).not.toContain(token.slice(-64));
});

function register(one: string): void {
  registered.set(idOf(one.slice(8, 24)), sha256(one));
  revision += 1;
}

function tokenOf(id: string): string {
  return formatReaderToken(idOf(id), new Uint8Array(32).fill(7));
}

function idOf(text: string): ReaderId {
  const id = parseReaderId(text);
  if (id === undefined) throw new Error(text);
  return id;
}
