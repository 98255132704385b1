import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { granary, type RunningGranary } from '../../machine/granary.ts';
import { isPlain } from '../site.ts';
import { ATTACKS, type Attack, drip } from './attacks.ts';
import { type HostileSite, openHostileSite, watchMemory } from './hostile-site.ts';
import { GARBAGE, integrity, type Page, REGISTRIES, type Registry, statementOf } from './registries.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** What Node and the largest documents that are read come to, several at once. */
const MAX_MEMORY_BYTES = 1.5 * 2 ** 30;
/** What a client waits for an upstream that says nothing. */
const MAX_SECONDS = 120;
/** Tried again after 10 s, 20 s, 40 s and so on. */
const RECORDED_WITHIN_MS = 300_000;
const BY_CLIENT = { by: 'client' } as const;

const says =
  (body: Buffer) =>
  (response: ServerResponse): void =>
    void response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
/** What upstream says of a release whose package and file are honest: none of it tells anything. */
const STATEMENTS: Readonly<Record<string, Attack['answer']>> = {
  ...Object.fromEntries(Object.entries(ATTACKS).map(([name, { answer }]) => [name, answer])),
  drip,
  garbage: says(GARBAGE),
  nothing: says(Buffer.from('null')),
  deep: says(Buffer.alloc(200_000, '[')),
  large: says(Buffer.alloc(300_000, '[],')),
  another: says(statementOf('another', {}).body),
  local: says(statementOf('stateslocal', { tarball: 'file:///etc/passwd' }).body),
};
/** What tells something, and isn't true. */
const LIES: Readonly<Record<string, (file: Page) => object>> = {
  integrity: ({ path }) => ({ tarball: `..${path}`, integrity: integrity(GARBAGE) }),
  shasum: ({ path, body }) => ({ tarball: `..${path}`, integrity: integrity(body), shasum: '0'.repeat(40) }),
  elsewhere: ({ body }) => ({ tarball: 'http://10.1.2.3/secret.tgz', integrity: integrity(body) }),
};

interface Given {
  readonly status: number;
  /** Undefined where it broke off. */
  readonly body: Buffer | undefined;
  readonly seconds: number;
}
const given = new Map<string, Given>();
let site: HostileSite;
let running: RunningGranary;
let memory: ReturnType<typeof watchMemory>;
let address = '';

// Everything at once, and in one process: what one upstream does must not cost another anything.
beforeAll(async () => {
  site = await openHostileSite();
  const asked = REGISTRIES.flatMap((registry) => prepared(registry).map((name) => ({ registry, name })));
  running = await site.start('--json');
  memory = watchMemory(running.pid);
  address = (await running.said(/serving on (http:\S+)/))[1] ?? '';
  await running.said(/Following upstream/);
  await Promise.all(asked.map(async ({ registry, name }) => given.set(`${registry.id} ${name}`, await ask(registry, name))));
});
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

function prepared(registry: Registry): readonly string[] {
  const attacked = (name: string, page: 'index' | 'file' | 'statement', answer: Attack['answer']) => {
    const honest = site.want(registry, name, BY_CLIENT)[page];
    if (honest !== undefined) site.upstream.attack(honest, answer);
    return name;
  };
  site.want(registry, 'honest', BY_CLIENT);
  const attacks = Object.entries(ATTACKS).flatMap(([attack, { answer }]) => [
    attacked(`index${attack}`, 'index', answer),
    attacked(`file${attack}`, 'file', answer),
  ]);
  if (!isStating(registry)) return ['honest', ...attacks];
  const statements = Object.entries(STATEMENTS).map(([attack, answer]) => attacked(`states${attack}`, 'statement', answer));
  const lies = Object.entries(LIES).map(([lie, dist]) => {
    const { file } = site.want(registry, `lies${lie}`, BY_CLIENT);
    site.upstream.serve(statementOf(`lies${lie}`, dist(file)));
    return `lies${lie}`;
  });
  return ['honest', ...attacks, ...statements, ...lies];
}

/** What its releases are is said of each alone, too. */
function isStating(registry: Registry): boolean {
  return registry.release('any').statement !== undefined;
}

async function ask(registry: Registry, name: string): Promise<Given> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const response = await fetch(`${address}/pull/${registry.id}/${registry.filePath(name)}`);
  const body = await response.arrayBuffer().then(Buffer.from, () => undefined);
  return { status: response.status, body, seconds: seconds() };
}

function isGiven(registry: Registry, name: string): boolean {
  const { status, body } = given.get(`${registry.id} ${name}`) ?? { status: 0, body: undefined };
  return status === 200 && body?.equals(registry.release(name).file.body) === true;
}

/** No answer, or one that broke off. */
function isRefused(registry: Registry, name: string): boolean {
  const { status, body } = given.get(`${registry.id} ${name}`) ?? { status: 0, body: undefined };
  return status >= 400 || (status === 200 && body === undefined);
}

describe.each(REGISTRIES)('a client that asks the view that fetches from an upstream of $id', (registry) => {
  it('has an honest file', () => {
    expect(isGiven(registry, 'honest')).toBe(true);
  });

  it.each(Object.keys(ATTACKS))('has no file that is %s', (attack) => {
    expect(isRefused(registry, `file${attack}`)).toBe(true);
  });

  it.each(Object.keys(ATTACKS))('has a file whose index is %s where it can be had without that', (attack) => {
    expect([isGiven(registry, `index${attack}`), isRefused(registry, `index${attack}`)]).toEqual([registry.hasFilesAlone, !registry.hasFilesAlone]);
  });
});

describe.each(REGISTRIES.filter(isStating))('a client that asks the view that fetches from an upstream of $id', (registry) => {
  it.each(Object.keys(STATEMENTS))('has an honest file whose release is %s', (attack) => {
    expect(isGiven(registry, `states${attack}`)).toBe(true);
  });

  it.each(Object.keys(LIES))('has no file whose release lies about its %s', (lie) => {
    expect(isRefused(registry, `lies${lie}`)).toBe(true);
  });
});

describe('all of it together', () => {
  it('answers in time, in sentences of ours, and within its memory', () => {
    expect([...given].filter(([, { seconds }]) => seconds > MAX_SECONDS)).toEqual([]);
    expect(memory.peakBytes()).toBeLessThan(MAX_MEMORY_BYTES);
  });

  it('records what clients have of packages whose indexes are hostile once those are mended', async () => {
    const waiting = await unrecorded();
    const stating = REGISTRIES.filter(isStating);
    for (const registry of stating)
      for (const attack of Object.keys(ATTACKS)) site.upstream.attack(site.want(registry, `index${attack}`, BY_CLIENT).index, undefined);

    await expect.poll(unrecorded, { timeout: RECORDED_WITHIN_MS, interval: 1000 }).toBe(0);

    expect(waiting).toBe(stating.length * Object.keys(ATTACKS).length);
    for (const registry of stating) for (const attack of Object.keys(ATTACKS)) expect(await site.isHeld(registry, `index${attack}`)).toBe(true);
  });

  it('leaves nothing behind, and reached nothing that nobody configured', async () => {
    running.signal('SIGINT');
    const { stderr } = await running.ended;

    expect(isPlain(stderr)).toBe(true);
    expect(await site.unfinished()).toEqual([]);
    expect(existsSync('/tmp/granary-escaped')).toBe(false);
    expect(site.upstream.askedInside).toEqual([]);
    expect((await granary(['ledger', 'check'], { cwd: site.folder })).code).toBe(0);
  });
});

async function unrecorded(): Promise<number> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  return Number(/^granary_pull_unrecorded (\d+)$/m.exec(metrics)?.[1]);
}
