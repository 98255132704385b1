import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { serveGit } from '@granary/services';
import { git } from './git/clean-git.ts';
import { type Followed, follow } from './git/following.ts';
import { type Mirrored, mirrorRound } from './git/mirroring.ts';
import { makeRepository, prepareRepository } from './git/sample-repository.ts';
import { type Cloned, type Served, type ServingRound, serveRounds } from './git/serving.ts';

/**
 * A source repository on loopback behind git's own server: taken in by a whole `granary up --once` and by `git clone --mirror`; followed by both through new commits and force-pushes; cloned
 * from us and from git's own server. Without a repository it makes two, of 30 and 120 MB.
 *
 *   node bench/git.ts [--repository BARE.git]… [--rounds 3] [--only mirror,follow,serve]
 */
const { values } = parseArgs({
  options: {
    repository: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'mirror,follow,serve' },
  },
});
const MADE_MEGABYTES = [30, 120];
const TARGETS = { mirror: 1.2, memoryBytes: 200e6, follow: 1, serve: 1.2 };
const NAME = 'owner/sample';
const rounds = Number(values.rounds);
const parts = new Set(values.only.split(','));

const folder = await mkdtemp(join(tmpdir(), 'granary-bench-git-'));
try {
  say(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}, ${await git('--version')}; load ${load()}`);
  if (values.repository.length === 0) say('no --repository: two are made, of text that nobody wrote');
  for (const path of values.repository) await measureRepository(resolve(path), (into) => prepareRepository(resolve(path), into));
  for (const size of values.repository.length === 0 ? MADE_MEGABYTES : [])
    await measureRepository(`${size} MB`, async (into) => {
      await makeRepository(join(folder, 'made.git'), size);
      await prepareRepository(join(folder, 'made.git'), into);
      await rm(join(folder, 'made.git'), { recursive: true });
    });
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}

async function measureRepository(what: string, prepare: (into: string) => Promise<void>): Promise<void> {
  const place = join(folder, 'now');
  const served = join(place, 'served');
  const bare = join(served, `${NAME}.git`);
  await mkdir(join(served, 'owner'), { recursive: true });
  await prepare(bare);
  await git('-C', bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  say(`\n${what}: ${await sizeOf(bare)}`);
  if (parts.has('mirror') || parts.has('serve')) await mirrorAndServe({ place, served });
  if (parts.has('follow')) for (const row of await follow(bare, join(place, 'following'))) sayFollowed(row);
  await rm(place, { recursive: true });
}

async function mirrorAndServe({ place, served }: { readonly place: string; readonly served: string }): Promise<void> {
  const upstream = await serveGit(served);
  const mirrored: Mirrored[] = [];
  const last = join(place, 'mirrored');
  for (let number = 1; number <= (parts.has('mirror') ? rounds : 1); number += 1) {
    await rm(last, { recursive: true, force: true });
    const round = await mirrorRound({ base: upstream.base, name: NAME, folder: last });
    mirrored.push(round);
    process.stderr.write(`mirror, round ${number}: ${JSON.stringify(round)}; load ${load()}\n`);
  }
  await upstream.close();
  sayMirrored(mirrored);
  if (!parts.has('serve')) return;
  const site = { folder: join(last, 'site'), config: join(last, 'site/granary.yaml') };
  sayServed(await serveRounds({ site, served, name: NAME, folder: place, rounds }));
}

async function sizeOf(bare: string): Promise<string> {
  const counted = await git('-C', bare, 'count-objects', '-v');
  const of = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(counted)?.[1]);
  const refs = (await git('-C', bare, 'for-each-ref', '--format=%(refname)')).split('\n').length;
  return `${megabytes(of('size-pack') * 1024)}, ${of('in-pack')} objects, ${refs} refs`;
}

function sayMirrored(all: readonly Mirrored[]): void {
  const seconds = (of: keyof Mirrored) => `${median(all.map((round) => round[of].processorSeconds)).toFixed(1)} s`;
  const ratio = (to: 'git' | 'gitChecking') => median(all.map((round) => round.granary.processorSeconds / round[to].processorSeconds));
  say(
    `mirror, processor: granary ${seconds('granary')}, git ${seconds('git')}, git with fetch.fsckObjects ${seconds('gitChecking')}: ${ratio('git').toFixed(2)} of git ${verdict(ratio('git'), TARGETS.mirror)}, ${ratio('gitChecking').toFixed(2)} of git that checks too`,
  );
  const largest = (of: keyof Mirrored) => all.map((round) => round[of].largest).toSorted((a, b) => b.bytes - a.bytes)[0] ?? { bytes: 0, program: '' };
  const own = (of: keyof Mirrored) => Math.max(...all.map((round) => round[of].ownPeakBytes));
  const peak = (of: keyof Mirrored) => `${megabytes(largest(of).bytes)} (${largest(of).program})`;
  say(
    `mirror, peak memory: largest process ${peak('granary')}, granary's own ${megabytes(own('granary'))} ${verdict(largest('granary').bytes, TARGETS.memoryBytes)}; git ${peak('git')}, git that checks ${peak('gitChecking')}`,
  );
  say(
    `a whole site, up --once: processor ${seconds('site')}, ${seconds('nothing')} when it watches nothing; its own memory ${megabytes(own('site'))}, and ${megabytes(own('nothing'))}; load ${load()}`,
  );
}

function sayFollowed({ step, brings, granary, git: peer }: Followed): void {
  const ratio = granary / peer;
  const judged = brings === 'what is new' ? ` ${verdict(ratio, TARGETS.follow)}` : '';
  say(`follow, bytes from upstream, ${step}: granary ${granary}, git ${peer}: ${ratio.toFixed(3)}${judged}`);
}

function sayServed({ first, warm }: Served): void {
  const ratio = (of: keyof Cloned, round: ServingRound) => round.granary[of] / round.git[of];
  const line = (name: string, all: readonly ServingRound[]) => {
    const middle = (from: (round: ServingRound) => number) => median(all.map(from));
    const wall = middle((round) => ratio('seconds', round));
    const list = [
      `granary ${middle((round) => round.granary.seconds).toFixed(2)} s (server's processor ${middle((round) => round.granary.processorSeconds).toFixed(2)} s)`,
      `git ${middle((round) => round.git.seconds).toFixed(2)} s (${middle((round) => round.git.processorSeconds).toFixed(2)} s)`,
    ].join(', ');
    say(
      `clone, ${name}: ${list}: wall ${wall.toFixed(2)} ${verdict(wall, TARGETS.serve)}, processor ${middle((round) => ratio('processorSeconds', round)).toFixed(2)}`,
    );
  };
  line('the first time', [first]);
  line('warm', warm);
  say(`load ${load()}`);
}

function verdict(value: number, target: number): string {
  return `(wanted at most ${target >= 1e6 ? megabytes(target) : target}: ${value <= target ? 'met' : 'MISSED'})`;
}

function median(all: readonly number[]): number {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function load(): string {
  return loadavg()[0]?.toFixed(1) ?? '';
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
