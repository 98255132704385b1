import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { cleanInstall, makeLock } from './npm/npm-client.ts';
import { answering, installVerdaccio, startVerdaccio } from './npm/verdaccio.ts';
import { type LoadResult, load } from './serving/load.ts';

/**
 * A product of several hundred npm packages, from its lock: `npm ci` with an empty cache from upstream, from a warm mirror and from a warm
 * Verdaccio; filling through the pull-through view and through an empty Verdaccio; and index documents a second of both. Rounds
 * alternate. Needs an npm registry, npm and wrk.
 *
 *   node bench/npm.ts [--product FILE] [--rounds 3]
 */
const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { product: { type: 'string', default: join(root, 'test/clients/web-portal.json') }, rounds: { type: 'string', default: '3' } },
});
const [GRANARY, VERDACCIO] = [18_090, 18_091];
const SECONDS = 8;
const TARGETS = { install: 1, fill: 1.2, documents: 50 };
const Lock = z.object({ packages: z.record(z.string(), z.object({ link: z.boolean().optional() })) });

const folder = mkdtempSync(join(tmpdir(), 'granary-bench-npm-'));
const children: ChildProcess[] = [];
try {
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  makeLock(values.product, folder, upstream);
  const names = packageNames(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  process.stdout.write(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}; ${names.length} packages\n`);
  installVerdaccio(join(folder, 'verdaccio'));
  writeFileSync(join(folder, 'granary.yaml'), 'watch: [package-lock.json]\npullThrough: { ecosystems: [npm] }\n');
  const [granary, verdaccio] = [`http://127.0.0.1:${GRANARY}/npm/`, `http://127.0.0.1:${VERDACCIO}/`];
  const fill = await measureFilling({ upstream, verdaccio });
  await mirror();
  children.push(await startVerdaccio(join(folder, 'verdaccio'), { upstream, port: VERDACCIO }));
  children.push(await startGranary('data'));
  const registries = { upstream, granary, verdaccio };
  for (const registry of [granary, verdaccio]) cleanInstall(folder, folder, registry);
  const install = inRounds((kind) => cleanInstall(folder, folder, registries[kind]), ['upstream', 'granary', 'verdaccio']);
  report({ install, fill, documents: measureDocuments(names) });
} finally {
  for (const child of children) child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}

type Kind = 'upstream' | 'granary' | 'verdaccio';
type Seconds = Readonly<Record<Kind, number>>;

function inRounds(measure: (kind: Kind) => number, kinds: readonly Kind[]): Seconds {
  const rounds = Array.from({ length: Number(values.rounds) }, () => kinds.map((kind) => [kind, measure(kind)] as const));
  const medianOf = (kind: Kind) => rounds.flatMap((round) => round.flatMap(([of, seconds]) => (of === kind ? [seconds] : []))).toSorted((a, b) => a - b);
  return { upstream: middle(medianOf('upstream')), granary: middle(medianOf('granary')), verdaccio: middle(medianOf('verdaccio')) };
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The first install through an empty mirror, which fetches while it answers. */
async function measureFilling({ upstream, verdaccio }: Pick<Record<Kind, string>, 'upstream' | 'verdaccio'>): Promise<Seconds> {
  cleanInstall(folder, folder, upstream);
  const direct = cleanInstall(folder, folder, upstream);
  const peer = await startVerdaccio(join(folder, 'verdaccio'), { upstream, port: VERDACCIO });
  const throughPeer = cleanInstall(folder, folder, verdaccio);
  peer.kill('SIGTERM');
  writeFileSync(join(folder, 'empty.yaml'), 'pullThrough: { ecosystems: [npm] }\n');
  const own = await startGranary('pulled', 'empty.yaml');
  const throughOwn = cleanInstall(folder, folder, `http://127.0.0.1:${GRANARY}/pull/npm/`);
  own.kill('SIGTERM');
  await new Promise((resolve) => own.once('exit', resolve));
  return { upstream: direct, granary: throughOwn, verdaccio: throughPeer };
}

async function mirror(): Promise<void> {
  execFileSync(join(root, 'granary'), [...up('data', 'granary.yaml'), '--once'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function startGranary(data: string, config = 'granary.yaml'): Promise<ChildProcess> {
  const child = spawn(join(root, 'granary'), up(data, config), { stdio: ['ignore', 'ignore', 'ignore'] });
  await answering(`http://127.0.0.1:${GRANARY}/healthz`);
  return child;
}

function up(data: string, config: string): readonly string[] {
  return ['up', '--config', join(folder, config), '--data', join(folder, data), '--listen', `127.0.0.1:${GRANARY}`];
}

function packageNames(lock: string): readonly string[] {
  const paths = Object.entries(Lock.parse(JSON.parse(lock)).packages).filter(([path, { link }]) => path !== '' && link !== true);
  return [...new Set(paths.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))];
}

function measureDocuments(names: readonly string[]): Readonly<Record<'granary' | 'verdaccio', LoadResult>> {
  const run = (port: number, prefix: string) => {
    const paths = join(folder, `paths-${port}.txt`);
    writeFileSync(paths, `${names.map((name) => `${prefix}${name.replace('/', '%2f')}`).join('\n')}\n`);
    const what = { paths, script: join(folder, 'load.lua'), accept: 'application/vnd.npm.install-v1+json' };
    load(`http://127.0.0.1:${port}`, { ...what, seconds: 2 });
    return load(`http://127.0.0.1:${port}`, { ...what, seconds: SECONDS });
  };
  return { verdaccio: run(VERDACCIO, ''), granary: run(GRANARY, 'npm/') };
}

function report({
  install,
  fill,
  documents,
}: {
  readonly install: Seconds;
  readonly fill: Seconds;
  readonly documents: ReturnType<typeof measureDocuments>;
}): void {
  const line = (name: string, seconds: Seconds, target: number) => {
    const ratio = seconds.granary / seconds.upstream;
    const met = ratio <= target ? 'met' : 'MISSED';
    return `${name.padEnd(34)} upstream ${seconds.upstream.toFixed(1)} s   granary ${seconds.granary.toFixed(1)} s   verdaccio ${seconds.verdaccio.toFixed(1)} s   ratio ${ratio.toFixed(2)}, Verdaccio's ${(seconds.verdaccio / seconds.upstream).toFixed(2)} (wanted at most ${target}: ${met})\n`;
  };
  const ratio = documents.granary.requestsPerSecond / documents.verdaccio.requestsPerSecond;
  process.stdout.write(
    [
      line('npm ci, warm, empty client cache', install, TARGETS.install),
      line('npm ci, filling an empty mirror', fill, TARGETS.fill),
      `documents   granary ${documents.granary.requestsPerSecond.toFixed(0)}/s (p99 ${documents.granary.p99Ms.toFixed(1)} ms, ${documents.granary.failed} failed)   verdaccio ${documents.verdaccio.requestsPerSecond.toFixed(0)}/s (p99 ${documents.verdaccio.p99Ms.toFixed(1)} ms, ${documents.verdaccio.failed} failed)   ratio ${ratio.toFixed(0)} (wanted ${TARGETS.documents}: ${ratio >= TARGETS.documents ? 'met' : 'MISSED'})\n`,
    ].join(''),
  );
}
