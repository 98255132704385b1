import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { COMPILE_CACHE, NODE } from './as-launched.ts';
import { cleanInstall, makeLock } from './npm/npm-client.ts';
import { installVerdaccio, startVerdaccio } from './npm/verdaccio.ts';
import { type LoadResult, load } from './serving/load.ts';

/**
 * A product of several hundred npm packages, from its lock: `npm ci` with an empty cache from upstream, through an empty mirror that fetches
 * while it answers, and from the same mirror once it has everything; the same with Verdaccio; and index documents a second of both. A round
 * has all of it, between two installs from upstream, so that whatever else the machine does hits each. Needs an npm registry, npm and wrk.
 *
 *   node bench/npm.ts [--product FILE] [--rounds 3] [--apart]
 *
 * `--apart`: the client has one half of the processors and whoever serves it the other, as if they were two machines; upstream's installs have that half as well.
 */
const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    product: { type: 'string', default: join(root, 'test/clients/web-portal.json') },
    rounds: { type: 'string', default: '3' },
    apart: { type: 'boolean', default: false },
  },
});
const [GRANARY, VERDACCIO] = [18_090, 18_091];
const SECONDS = 15;
/** Until both have compiled what they need for documents: they have answered with files until then. */
const WARM_SECONDS = 10;
const REST_MS = 5000;
const PATIENCE_MS = 600_000;
const ABBREVIATED = 'application/vnd.npm.install-v1+json';
const TARGETS = { warm: 1, filling: 1.2, documents: 50 };
const Lock = z.object({
  packages: z.record(z.string(), z.object({ link: z.boolean().optional(), optional: z.boolean().optional(), name: z.string().optional() })),
});

const half = Math.max(1, Math.floor(cpus().length / 2));
const CLIENT = values.apart ? ['taskset', '--cpu-list', `0-${half - 1}`] : [];
const SERVER = values.apart ? ['taskset', '--cpu-list', `${half}-${cpus().length - 1}`] : [];

const folder = mkdtempSync(join(tmpdir(), 'granary-bench-npm-'));
const running = new Map<string, ChildProcess>();
try {
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  makeLock(values.product, folder, upstream);
  const names = packageNames(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  say(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}; ${names.length} packages; load ${load1()}${values.apart ? '; client and server apart' : ''}`,
  );
  installVerdaccio(join(folder, 'verdaccio'));
  writeFileSync(join(folder, 'granary.yaml'), 'pullThrough: { ecosystems: [npm] }\n');
  install(upstream);
  const rounds: Round[] = [];
  for (let number = 1; number <= Number(values.rounds); number += 1) rounds.push(await measureRound(number, upstream));
  report(rounds, await measureDocuments(names));
} finally {
  for (const child of running.values()) child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}

interface Served {
  /** Seconds of an install through an empty mirror, and processor seconds of the mirror meanwhile and afterwards, until it has put down what came. */
  readonly filling: number;
  readonly processor: number;
  readonly afterwards: number;
  /** Seconds of an install once it has everything. */
  readonly warm: number;
}
interface Round {
  /** The mean of one before and one after. */
  readonly upstream: number;
  readonly granary: Served;
  readonly verdaccio: Served;
}

async function measureRound(number: number, upstream: string): Promise<Round> {
  const before = install(upstream);
  const own = await restart('granary', () => startGranary(`data-${number}`));
  const granary = await measureServed(own, { empty: `http://127.0.0.1:${GRANARY}/pull/npm/`, full: `http://127.0.0.1:${GRANARY}/npm/`, rest: untilRecorded });
  setAside(join(folder, 'verdaccio/storage'), number);
  const peer = await restart('verdaccio', () => startVerdaccio(join(folder, 'verdaccio'), { upstream, port: VERDACCIO, prefix: SERVER }));
  const address = `http://127.0.0.1:${VERDACCIO}/`;
  const verdaccio = await measureServed(peer, { empty: address, full: address, rest: () => sleep(REST_MS) });
  const round = { upstream: (before + install(upstream)) / 2, granary, verdaccio };
  say(`round ${number}: ${JSON.stringify(round, (_, value: unknown) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value))}; load ${load1()}`);
  return round;
}

function install(registry: string): number {
  return cleanInstall(folder, folder, { registry, prefix: CLIENT });
}

/** Not deleted: ext4 steps over what was freed in the last minutes, wherever a file is made. */
function setAside(path: string, number: number): void {
  if (existsSync(path)) renameSync(path, `${path}-${number}`);
}

/** The last of a name is left running. */
async function restart(name: string, start: () => Promise<ChildProcess>): Promise<ChildProcess> {
  const old = running.get(name);
  old?.kill('SIGTERM');
  if (old !== undefined && old.exitCode === null) await new Promise((resolve) => old.once('exit', resolve));
  const child = await start();
  running.set(name, child);
  return child;
}

interface Serving {
  readonly empty: string;
  readonly full: string;
  /** Resolves when the server has put down what came. */
  readonly rest: () => Promise<void>;
}

async function measureServed(child: ChildProcess, { empty, full, rest }: Serving): Promise<Served> {
  const before = processorSeconds(child);
  const filling = install(empty);
  const filled = processorSeconds(child);
  await rest();
  const afterwards = processorSeconds(child) - filled;
  return { filling, processor: filled - before, afterwards, warm: install(full) };
}

/** What came is put down in the mirror's own time: when no client asks any more. */
async function untilRecorded(): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; ; ) {
    if (performance.now() > deadline) throw new Error('the mirror has not put down what came');
    const metrics = await (await fetch(`http://127.0.0.1:${GRANARY}/metrics`)).text();
    if (/^granary_pull_unrecorded 0$/m.test(metrics)) break;
    await sleep(1000);
  }
  await sleep(REST_MS);
}

/** User and system time, in ticks of 10 ms (proc(5)). */
function processorSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function startGranary(data: string): Promise<ChildProcess> {
  const argv = ['up', '--config', join(folder, 'granary.yaml'), '--data', join(folder, data), '--listen', `127.0.0.1:${GRANARY}`, '--json'];
  const [program = '', ...flags] = [...SERVER, ...NODE];
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  const child = spawn(program, [...flags, join(root, 'apps/granary/main.ts'), ...argv], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  // It says how things stand once upstreams are reached and nothing is left to do.
  await new Promise<void>((resolve) => child.stdout.on('data', (chunk) => String(chunk).includes('"artifacts"') && resolve()));
  return child;
}

/** Of those that are installed on every platform, by the names that the registry has for them. */
function packageNames(lock: string): readonly string[] {
  const paths = Object.entries(Lock.parse(JSON.parse(lock)).packages).filter(([path, { link, optional }]) => path !== '' && link !== true && optional !== true);
  return [...new Set(paths.map(([path, { name }]) => name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))];
}

async function measureDocuments(names: readonly string[]): Promise<Readonly<Record<'granary' | 'verdaccio', LoadResult>>> {
  const run = async (port: number, prefix: string) => {
    const paths = join(folder, `paths-${port}.txt`);
    writeFileSync(paths, `${names.map((name) => `${prefix}${name.replace('/', '%2f')}`).join('\n')}\n`);
    const what = { paths, script: join(folder, 'load.lua'), accept: ABBREVIATED };
    await askEach(port, prefix, names);
    load(`http://127.0.0.1:${port}`, { ...what, seconds: WARM_SECONDS });
    return load(`http://127.0.0.1:${port}`, { ...what, seconds: SECONDS });
  };
  return { verdaccio: await run(VERDACCIO, ''), granary: await run(GRANARY, 'npm/') };
}

/** Each document once: what a mirror makes when it is first asked is measured by the installs. A document that isn't there spoils the measurement. */
async function askEach(port: number, prefix: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const answer = await fetch(`http://127.0.0.1:${port}/${prefix}${name.replace('/', '%2f')}`, { headers: { accept: ABBREVIATED } });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`port ${port} answers ${answer.status} for ${name}, which was installed from it`);
  }
}

function report(rounds: readonly Round[], documents: Awaited<ReturnType<typeof measureDocuments>>): void {
  const median = (of: (round: Round) => number) => middle(rounds.map(of).toSorted((a, b) => a - b));
  const line = (name: string, which: 'filling' | 'warm') => {
    const [own, peer] = [median((round) => round.granary[which] / round.upstream), median((round) => round.verdaccio[which] / round.upstream)];
    const seconds = [median((round) => round.upstream), median((round) => round.granary[which]), median((round) => round.verdaccio[which])];
    const [direct, through, throughPeer] = seconds.map((value) => value.toFixed(1));
    const met = own <= TARGETS[which] ? 'met' : 'MISSED';
    say(
      `${name.padEnd(34)} upstream ${direct} s   granary ${through} s   verdaccio ${throughPeer} s   of upstream ${own.toFixed(2)}, Verdaccio ${peer.toFixed(2)} (wanted at most ${TARGETS[which]}: ${met})`,
    );
  };
  line('npm ci, filling an empty mirror', 'filling');
  line('npm ci, warm, empty client cache', 'warm');
  say(
    `processor seconds while filling, and afterwards: granary ${median(({ granary }) => granary.processor).toFixed(1)} and ${median(({ granary }) => granary.afterwards).toFixed(1)}, verdaccio ${median(({ verdaccio }) => verdaccio.processor).toFixed(1)} and ${median(({ verdaccio }) => verdaccio.afterwards).toFixed(1)}`,
  );
  const ratio = documents.granary.requestsPerSecond / documents.verdaccio.requestsPerSecond;
  const rate = ({ requestsPerSecond, p99Ms, failed }: LoadResult) => `${requestsPerSecond.toFixed(0)}/s (p99 ${p99Ms.toFixed(1)} ms, ${failed} failed)`;
  const met = ratio >= TARGETS.documents ? 'met' : 'MISSED';
  say(
    `documents   granary ${rate(documents.granary)}   verdaccio ${rate(documents.verdaccio)}   ratio ${ratio.toFixed(0)} (wanted ${TARGETS.documents}: ${met}); load ${load1()}`,
  );
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function load1(): string {
  return loadavg()[0]?.toFixed(1) ?? '';
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
