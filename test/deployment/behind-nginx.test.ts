import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get as httpGet, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { sha256 } from '@granary/core/model';
import { freePort } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGranary, startGranary } from '../machine/granary.ts';
import { makeSiteOnDisk, type SiteOnDisk } from '../serving/site-on-disk.ts';
import { nginxMissing, startNginx } from './nginx.ts';

const missing = nginxMissing();
const WHEEL = 'sample_box-1.0-py3-none-any.whl';
const BAD = 'sample_box-1.1-py3-none-any.whl';
const BIG = 'sample_box-1.0.tar.gz';
const JSON_V1 = 'application/vnd.pypi.simple.v1+json';
const PAGE = '/pypi/simple/sample-box/';
const files = new Map([
  [WHEEL, bytes(300_000, 7)],
  [BAD, bytes(200_000, 11)],
  // Several slices, and a part of one.
  [BIG, bytes(10_000_000, 13)],
]);

const stack = new AsyncDisposableStack();
const nodes: { readonly port: number; running: RunningGranary }[] = [];
let site: SiteOnDisk;
let data: string;
let address: string;

/** Bytes that differ from place to place: a slice that is put into the wrong one shows. */
function bytes(length: number, step: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * step + (at >> 8)) % 251);
}

function startNode(port: number): RunningGranary {
  return startGranary(['serve', '--data', data, '--listen', `127.0.0.1:${port}`]);
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** As a client sends it and as it comes back: `fetch` would unpack bodies and drop reason phrases that it doesn't know. */
async function get(path: string, headers: Readonly<Record<string, string>> = {}, from = address): Promise<Answer> {
  const request = httpGet(`${from}${path}`, { headers, agent: false });
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, reason: response.statusMessage, headers: response.headers, body: Buffer.concat(chunks) };
}

function addressOf(fileName: string): string {
  return site.addresses.get(fileName) ?? expect.fail(`${fileName} is not in the index`);
}

function fileOf(fileName: string): Uint8Array {
  return files.get(fileName) ?? expect.fail(`${fileName} was not made`);
}

describe.skipIf(missing !== undefined)(`two API nodes behind nginx${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'granary-nginx-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    data = join(folder, 'data');
    site = await makeSiteOnDisk(data, 'sample-box', files);
    const ports = [await freePort(), await freePort()] as const;
    for (const port of ports) nodes.push({ port, running: startNode(port) });
    stack.defer(async () => {
      for (const { running } of nodes) await running[Symbol.asyncDispose]();
    });
    for (const { running } of nodes) await running.said(/serving .+ on http/);
    const nginx = stack.use(
      await startNginx({ folder: join(folder, 'nginx'), port: await freePort(), nodes: [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`] }),
    );
    address = nginx.address;
  }, 120_000);
  afterAll(() => stack.disposeAsync());

  it('gives each client the index in the form and the encoding that it asks for, also from the cache', async () => {
    const asked = [
      { accept: JSON_V1 },
      { accept: 'text/html' },
      { accept: JSON_V1, 'accept-encoding': 'gzip' },
      { accept: 'text/html', 'accept-encoding': 'br' },
    ];
    const direct = await Promise.all(asked.map((headers) => get(PAGE, headers, `http://127.0.0.1:${nodes[0]?.port}`)));

    const first = await Promise.all(asked.map((headers) => get(PAGE, headers)));
    const second = await Promise.all(asked.map((headers) => get(PAGE, headers)));

    for (const answers of [first, second]) {
      expect(answers.map(({ headers }) => [headers['content-type'], headers['content-encoding'], headers.etag, headers.vary])).toEqual(
        direct.map(({ headers }) => [headers['content-type'], headers['content-encoding'], headers.etag, headers.vary]),
      );
      expect(answers.map(({ body }) => sha256(body))).toEqual(direct.map(({ body }) => sha256(body)));
    }
    expect(first.map(({ headers }) => headers['content-type'])).toEqual([JSON_V1, 'text/html; charset=utf-8', JSON_V1, 'text/html; charset=utf-8']);
    expect(second.map(({ headers }) => headers['cache-status'])).toEqual(asked.map(() => 'nginx; hit'));
    expect(await get(PAGE, { accept: 'image/png' })).toMatchObject({ status: 406 });
  });

  it.each([WHEEL, BIG])('passes %s on as it is, whole and in parts, and answers again from its cache', async (fileName) => {
    const expected = fileOf(fileName);
    const range = async (value: string) => await get(addressOf(fileName), { range: value });

    const tail = await range(`bytes=${expected.length - 100}-${expected.length - 1}`);
    const whole = await get(addressOf(fileName));
    const again = await get(addressOf(fileName));
    const across = await range(`bytes=${Math.min(4 * 2 ** 20, expected.length) - 50}-${Math.min(4 * 2 ** 20, expected.length) + 49}`);
    const beyond = await range(`bytes=${expected.length}-`);

    expect([tail.status, tail.headers['content-range']]).toEqual([206, `bytes ${expected.length - 100}-${expected.length - 1}/${expected.length}`]);
    expect(tail.body.equals(expected.subarray(-100))).toBe(true);
    expect([whole.status, whole.headers['content-length'], whole.headers.etag]).toEqual([200, String(expected.length), `"${sha256(expected)}"`]);
    expect([whole.body.equals(expected), again.body.equals(expected)]).toEqual([true, true]);
    expect(again.headers['cache-status']).toBe('nginx; hit');
    expect(across.body.equals(expected.subarray(Math.min(4 * 2 ** 20, expected.length) - 50, Math.min(4 * 2 ** 20, expected.length) + 50))).toBe(true);
    expect(beyond.status).toBe(416);
  });

  it('passes questions on with their bodies, and refuses what else is posted, as the nodes do', async () => {
    const ask = async (path: string, body: string | Uint8Array<ArrayBuffer>, coding = 'identity') => {
      const response = await fetch(`${address}${path}`, { method: 'POST', body, headers: { 'content-encoding': coding } });
      return [response.status, await response.text()];
    };
    const audit = '/npm/-/npm/v1/security/advisories/bulk';
    const large = JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`package-${index}`, ['1.0.0']])));

    expect(await ask(audit, large)).toEqual([424, expect.stringContaining('advisories: {folder: PATH}')]);
    expect(await ask(audit, gzipSync(large), 'gzip')).toEqual([424, expect.stringContaining('advisories: {folder: PATH}')]);
    expect(await ask(audit, '[]')).toEqual([400, expect.stringContaining('expected a JSON object')]);
    expect((await ask(audit, 'x'.repeat(5 * 2 ** 20)))[0]).toBe(413);
    expect((await ask(PAGE, '{}'))[0]).toBe(405);
  });

  it('answers a client that has it already with 304', async () => {
    const { headers } = await get(addressOf(WHEEL));

    expect(await get(addressOf(WHEEL), { 'if-none-match': headers.etag ?? '' })).toMatchObject({ status: 304 });
  });

  it('keeps the ledger’s checkpoint fresh, and what belongs to one node to itself', async () => {
    const checkpoint = await get('/ledger/checkpoint');

    expect([checkpoint.status, checkpoint.headers['cache-control']]).toEqual([200, 'no-cache']);
    expect((await get('/ledger/checkpoint')).headers['cache-status']).not.toBe('nginx; hit');
    expect(await get('/metrics')).toMatchObject({ status: 404 });
    expect(await get('/readyz')).toMatchObject({ status: 200 });
  });

  it('lets the reason of a refusal through, and a quarantine within a minute though the file is in the cache', async () => {
    expect((await get(addressOf(BAD))).body.equals(fileOf(BAD))).toBe(true);
    await site.submit([{ kind: 'quarantined', subject: 'pkg:pypi/sample-box@1.1', body: { reason: 'MAL-2026-1' } }]);
    const quarantinedAt = performance.now();

    let answer = await get(addressOf(BAD));
    while (answer.status === 200 && performance.now() - quarantinedAt < 70_000) {
      await sleep(1_000);
      answer = await get(addressOf(BAD));
    }

    expect(answer.status).toBe(403);
    expect(answer.reason).toMatch(/^Granary quarantined pypi\/sample-box 1\.1: MAL-2026-1/);
    expect(answer.body.toString()).toBe(`403 ${answer.reason}\n`);
    expect(performance.now() - quarantinedAt).toBeLessThan(65_000);
  });

  it('goes on when a node is killed, and says so when both are', async () => {
    const [first, second] = nodes;
    if (first === undefined || second === undefined) throw new Error('two nodes were started');
    const rounds = async (count: number) => {
      const answers: Answer[] = [];
      for (let round = 0; round < count; round++) answers.push(await get(`${PAGE}?${round}/${count}`, { accept: JSON_V1 }));
      return answers.map(({ status }) => status);
    };

    await first.running[Symbol.asyncDispose]();
    const withOne = await rounds(20);
    first.running = startNode(first.port);
    await first.running.said(/serving .+ on http/);
    // By then nginx looks at it again.
    await sleep(2_500);
    await second.running[Symbol.asyncDispose]();
    const withOther = await rounds(21);
    await first.running[Symbol.asyncDispose]();
    const withNone = await get(`${PAGE}?none`);

    expect(new Set([...withOne, ...withOther])).toEqual(new Set([200]));
    expect([withNone.status, withNone.body.toString()]).toEqual([503, '503 Granary: none of its nodes answers\n']);
  });
});
