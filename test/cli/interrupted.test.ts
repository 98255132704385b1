import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type Ended, type RunningGranary, startGranary } from '../machine/granary.ts';

// Whole processes, one after the other, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

/** However much waits for an upstream that says nothing. */
const ENDS_WITHIN_MS = 15_000;
const NAMES = ['lantern', 'wick', 'tallow'];
const Report = z.object({
  artifacts: z.array(z.object({ filename: z.string(), verdict: z.string() })),
  interrupted: z.boolean().optional(),
  left: z.object({ artifacts: z.number(), jobs: z.record(z.string(), z.number()), next: z.array(z.string()) }).nullish(),
});

const folder = mkdtempSync(join(tmpdir(), 'granary-interrupted-'));
const closing = new AsyncDisposableStack();
afterAll(async () => {
  await closing.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

const tarballs = new Map(NAMES.map((name) => [name, pack(name)]));
/** Paths at which nothing is said. */
const silent = new Set<string>();
afterEach(() => silent.clear());
const registry = await openRegistry();

describe('granary up --once', () => {
  it('that is stopped says what is done and what is left, and the next one goes on from there', async () => {
    silent.add('/wick/-/wick-1.0.0.tgz').add('/tallow/-/tallow-1.0.0.tgz');
    const config = siteOf('json');
    const stopped = await stop(start(config, '--json', '--events'), { after: /"event":"done","stage":"attest"/, by: 'SIGTERM' });
    silent.clear();
    const next = await start(config, '--json').ended;

    expect(stopped).toMatchObject({ code: 143, endedWithinMs: expect.any(Number) });
    expect(stopped.endedWithinMs).toBeLessThan(ENDS_WITHIN_MS);
    const report = Report.parse(JSON.parse(stopped.stdout));
    expect(verdictsIn(report)).toMatchObject({ 'lantern-1.0.0.tgz': expect.not.stringMatching(/^pending$/), 'wick-1.0.0.tgz': 'pending' });
    expect(report).toMatchObject({
      interrupted: true,
      left: { artifacts: 2, jobs: { sync: 2 }, next: expect.arrayContaining([expect.stringContaining('wick-1.0.0.tgz')]) },
    });
    const whole = Report.parse(JSON.parse(next.stdout));
    expect(next.code).toBe(0);
    expect([whole.interrupted, Object.values(verdictsIn(whole)).includes('pending')]).toEqual([undefined, false]);
  });

  it('that is stopped by Ctrl-C says so to people, also where npm hands it on once more', async () => {
    silent.add('/wick/-/wick-1.0.0.tgz');
    const stopped = await stop(start(siteOf('text'), '--events'), { after: /"event":"done","stage":"attest"/, by: 'SIGINT' });

    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toMatch(/^ARTIFACT +VERDICT/);
    expect(stopped.stdout).toMatch(/\nstopped: \d artifacts without a verdict, and jobs left: .*sync \d.*; the next start goes on from there\n$/);
  });

  it('that is stopped before it knows what there is to do says that', async () => {
    silent.add('/simple/uv/');
    const config = siteOf('starting', { watch: ['pkg:pypi/lantern'], upstreams: { pypi: { index: `${registry}simple/` } } });
    const stopped = await stop(start(config, '--json', '--events'), { after: /serving on/, by: 'SIGTERM' });

    expect(stopped.code).toBe(143);
    expect(stopped.endedWithinMs).toBeLessThan(ENDS_WITHIN_MS);
    expect(Report.parse(JSON.parse(stopped.stdout))).toEqual({ interrupted: true, artifacts: [], left: null });
  });
});

function verdictsIn({ artifacts }: z.output<typeof Report>): Readonly<Record<string, string>> {
  return Object.fromEntries(artifacts.map(({ filename, verdict }) => [filename, verdict]));
}

function start(config: string, ...options: readonly string[]): RunningGranary {
  return startGranary(['up', '--once', '--config', config, '--listen', '127.0.0.1:0', ...options]);
}

async function stop(
  running: RunningGranary,
  { after, by }: { readonly after: RegExp; readonly by: NodeJS.Signals },
): Promise<Ended & { readonly endedWithinMs: number }> {
  await using process = running;
  await process.said(after);
  const startedAt = performance.now();
  process.signal(by);
  if (by === 'SIGINT') process.signal(by);
  const ended = await process.ended;
  return { ...ended, endedWithinMs: performance.now() - startedAt };
}

function siteOf(name: string, more: object = { watch: NAMES.map((watched) => `pkg:npm/${watched}@1.0.0`), upstreams: { npm: { index: registry } } }): string {
  const config = join(folder, `${name}.yaml`);
  writeFileSync(config, JSON.stringify({ data: join(folder, name), ...more }));
  return config;
}

function pack(name: string): Buffer {
  const at = join(folder, 'packages', name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts'], { cwd: at, stdio: ['ignore', 'ignore', 'inherit'] });
  return readFileSync(join(at, `${name}-1.0.0.tgz`));
}

async function openRegistry(): Promise<string> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (silent.has(path)) return;
    const [, name = '', file] = /^\/([a-z]+)(\/-\/.+\.tgz)?$/.exec(path) ?? [];
    const tarball = tarballs.get(name);
    if (tarball === undefined) return void response.writeHead(404).end();
    if (file !== undefined) return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    const dist = {
      tarball: `http://${request.headers.host}/${name}/-/${name}-1.0.0.tgz`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    };
    const versions = { '1.0.0': { name, version: '1.0.0', dist } };
    const time = { '1.0.0': '2024-01-02T00:00:00.000Z' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions, time }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/`;
}
