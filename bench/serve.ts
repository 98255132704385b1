import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPILE_CACHE, NODE } from './as-launched.ts';
import { type LoadResult, load } from './serving/load.ts';
import { exportBytes, startNginx } from './serving/nginx.ts';
import { makeSite } from './serving/site.ts';

/**
 * Serves index pages drawn by Zipf from 10,000 and wheels of 300 KB drawn by Zipf from 1,000, from one process, against nginx with one
 * worker on the same bytes on disk; and, for pages, against a bare server on Node's HTTP, which is as fast as this runtime gets. Rounds alternate, so that whatever else the machine does falls on both. Needs nginx and wrk.
 */
const [GRANARY, NGINX, BARE] = [18_080, 18_081, 18_082];
const ROUNDS = 3;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 8);
const TARGETS = { pages: 0.4, wheels: 0.2, memoryBytes: 250 * 2 ** 20 };

/** Beside the rate: what a request costs the server's processor, which whatever else the machine does hardly changes. */
interface Measured extends LoadResult {
  readonly cpuMicroseconds: number;
}
interface Outcome {
  readonly name: 'pages' | 'wheels';
  readonly granary: Measured;
  readonly nginx: Measured;
  /** Of pages. */
  readonly bare?: Measured;
}

const folder = mkdtempSync(join(tmpdir(), 'granary-bench-serve-'));
const children: ChildProcess[] = [];
try {
  process.stdout.write(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}\npreparing 10,000 packages and 1,000 wheels\n`,
  );
  const site = makeSite(folder);
  await stop(await startGranary(site.data, site.catalog));
  const granary = await startGranary(site.data, site.catalog);
  for (const path of [...site.pagePaths, ...site.wheelPaths]) exportBytes(join(folder, 'root'), path, await fetchBytes(path));
  const nginx = startNginx(folder, { root: join(folder, 'root'), port: NGINX });
  children.push(nginx);
  await sleep(500);
  const list = join(folder, 'all-pages.txt');
  writeFileSync(list, `${site.pagePaths.join('\n')}\n`);
  const bare = await startListening(['serving/bare-node.ts', join(folder, 'root'), list, String(BARE)]);
  const servers = {
    bare: { port: BARE, pid: bare.pid ?? 0 },
    granary: { port: GRANARY, pid: granary.pid ?? 0 },
    nginx: { port: NGINX, pid: workerOf(nginx.pid ?? 0) },
  };
  const outcomes = (['pages', 'wheels'] as const).map((name) => measure(name, name === 'pages' ? site.pagePaths : site.wheelPaths, servers));
  report(outcomes, peakBytes(granary));
} finally {
  for (const child of children) child.kill('SIGTERM');
  await sleep(300);
  rmSync(folder, { recursive: true, force: true });
}

async function startGranary(data: string, catalog: string): Promise<ChildProcess> {
  return await startListening(['serving/host.ts', data, catalog, String(GRANARY)]);
}

async function startListening([script, ...args]: readonly [string, ...string[]]): Promise<ChildProcess> {
  const [program, ...flags] = NODE;
  const child = spawn(program, [...flags, join(import.meta.dirname, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)));
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(`http://127.0.0.1:${GRANARY}/${path}`, {
    headers: { accept: 'application/vnd.pypi.simple.v1+json', 'accept-encoding': 'identity' },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

interface Server {
  readonly port: number;
  readonly pid: number;
}

function measure(name: Outcome['name'], list: readonly string[], servers: Readonly<Record<'granary' | 'nginx' | 'bare', Server>>): Outcome {
  const paths = join(folder, `${name}.txt`);
  writeFileSync(paths, `${list.join('\n')}\n`);
  const run = ({ port, pid }: Server, seconds: number): Measured => {
    const before = cpuSeconds(pid);
    const result = load(`http://127.0.0.1:${port}`, { paths, script: join(folder, 'load.lua'), seconds, accept: 'application/vnd.pypi.simple.v1+json' });
    return { ...result, cpuMicroseconds: ((cpuSeconds(pid) - before) * 1e6) / (result.requestsPerSecond * seconds) };
  };
  const kinds = name === 'pages' ? (['bare', 'nginx', 'granary'] as const) : (['nginx', 'granary'] as const);
  for (const kind of kinds) run(servers[kind], 2);
  const rounds = Array.from({ length: ROUNDS }, () => new Map(kinds.map((kind) => [kind, run(servers[kind], SECONDS)])));
  const medianOf = (kind: (typeof kinds)[number]) => median(rounds.flatMap((round) => round.get(kind) ?? []));
  return { name, granary: medianOf('granary'), nginx: medianOf('nginx'), ...(name === 'pages' ? { bare: medianOf('bare') } : {}) };
}

function median(results: readonly Measured[]): Measured {
  const sorted = [...results].sort((a, b) => a.requestsPerSecond - b.requestsPerSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return { ...middle, failed: results.reduce((sum, { failed }) => sum + failed, 0) };
}

/** The one worker of a running nginx. */
function workerOf(master: number): number {
  return Number(readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ')[0]);
}

/** User and system time of a process, from the kernel, which counts in hundredths. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory the process ever held, as the kernel counts it. */
function peakBytes({ pid }: ChildProcess): number {
  const [, kibibytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

function report(outcomes: readonly Outcome[], memoryBytes: number): void {
  const lines = outcomes.flatMap(({ name, granary, nginx, bare }) => {
    const ratio = granary.requestsPerSecond / nginx.requestsPerSecond;
    const failed = granary.failed + nginx.failed;
    const verdict = ratio >= TARGETS[name] && failed === 0 ? 'met' : 'MISSED';
    const line = `${name.padEnd(7)} granary ${rate(granary)}   nginx ${rate(nginx)}   ratio ${ratio.toFixed(2)} (wanted ${TARGETS[name]}: ${verdict})   failed ${failed}`;
    if (bare === undefined) return [line];
    const [ofNginx, ofBare] = [bare.requestsPerSecond / nginx.requestsPerSecond, granary.requestsPerSecond / bare.requestsPerSecond];
    return [line, `        bare node:http ${rate(bare)}   ${ofNginx.toFixed(2)} of nginx; granary ${ofBare.toFixed(2)} of it`];
  });
  const memory = `memory  peak ${(memoryBytes / 2 ** 20).toFixed(0)} MiB (wanted below 250: ${memoryBytes < TARGETS.memoryBytes ? 'met' : 'MISSED'})`;
  process.stdout.write(`\n${[...lines, memory].join('\n')}\n`);
}

function rate({ requestsPerSecond, p99Ms, cpuMicroseconds }: Measured): string {
  return `${Math.round(requestsPerSecond).toString().padStart(6)}/s, ${cpuMicroseconds.toFixed(0).padStart(4)} µs of processor each, p99 ${p99Ms.toFixed(1)} ms`;
}
