import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Process } from '@granary/distributed';
import { freePort } from '@granary/services';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { type Chance, chanceOf } from '../kill/aims.ts';
import { differences, readSettled, type Settled } from '../kill/read-site.ts';
import { runUp } from '../kill/run-up.ts';
import { copySite, makeSiteFolder, type SiteFolder } from '../kill/site-folder.ts';
import { type ChangingUpstream, openChangingUpstream } from '../kill/upstream.ts';
import { report, timed } from '../report.ts';
import { leftoversOf, wrongWithNodes, wrongWithTrial } from './check-trial.ts';
import { type PendingWatch, refusedFacts, watchPending } from './onlooker.ts';
import { startDistributed } from './start-distributed.ts';
import { copyTrialFolder, makeTrialFolder, startTrial, type Trial, type TrialFolder, within } from './trial.ts';
import { sleepInBatch } from './two-sequencers.ts';
import { killVictim, VICTIMS, type Victim } from './victims.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 34);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const FACES = ['first', 'second'] as const;
type Face = (typeof FACES)[number];
/** In the life of one deployment, on each face of upstream. */
const KILLS_PER_FACE = 5;
const LONGEST_DOWN_MS = 4000;
/** From the last kill to a scheduler that finds nothing to do. */
const SETTLES_WITHIN_S = 240;
const ONCE = { scheduler: ['--once', '--json'] };

const folder = mkdtempSync(join(tmpdir(), 'granary-distributed-'));
const chance: Chance = chanceOf(SEED);
const kills: Victim[] = [];
const tookMs = new Map<Face, number>();
const settledAfterMs: number[] = [];
const refusals = new Map<string, number>();
let upstream: ChangingUpstream;
let expected: Settled;
let base: TrialFolder;
let isEvidence = false;

beforeAll(async () => {
  // PostgreSQL runs as a user of its own, who has to come through.
  chmodSync(folder, 0o711);
  report(`seed ${SEED}, folder ${folder}`);
  upstream = await timed('an upstream of real wheels', () => openChangingUpstream(join(folder, 'upstream')));
  upstream.show('first');
  const nobody = { index: upstream.index, projects: [] };
  const alone = await makeSiteFolder(join(folder, 'alone'), nobody);
  await timed('one process makes a root filesystem', () => toTheEnd(alone));
  base = await makeTrialFolder(join(folder, 'base'), nobody, join(alone.data, 'keys'));
  const site = await copySite(alone, join(folder, 'reference'), upstream);
  for (const face of FACES) {
    upstream.show(face);
    await timed(`one process, ${face} face`, () => toTheEnd(site));
  }
  expected = await readSettled(site);
  report(`expected: ${expected.lines.length} facts, ${expected.digest}`);
}, 900_000);
afterAll(async () => {
  await upstream?.[Symbol.asyncDispose]();
  if (isEvidence) report(`what is left lies in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
});

describe('two workers and two nodes', () => {
  it('make the environment at the same time, and end when they are told', async () => {
    keepEvidence();
    upstream.show('first');
    {
      await using trial = await startTrial(base, ONCE);
      const takingJobs = Promise.all(['worker 1', 'worker 2'].map((name) => trial.until(name, /taking jobs/)));
      await timed('two workers make their root filesystems', () => within(600, 'taking jobs', trial, takingJobs));
    }
    expect(await wrongWithTrial(base)).toEqual([]);
  });

  it('come to the same as one process, through Redis and S3, and serve the same', async () => {
    keepEvidence();
    const place = await copyTrialFolder(base, join(folder, 'calm'), upstream);
    {
      upstream.show('first');
      await using trial = await startTrial(place, ONCE);
      for (const face of FACES) await timed(`two workers, ${face} face`, () => calmFace(trial, face));
      expect(await wrongWithNodes(trial, upstream.projects, expected)).toEqual([]);
    }

    expect(differences(await readSettled(place.view), expected)).toEqual([]);
    expect(await wrongWithTrial(place)).toEqual([]);
    rmSync(place.root, { recursive: true });
  });
});

describe('processes and services that are killed in turn', () => {
  it('come to the same, whatever dies and whatever it was about', async () => {
    keepEvidence();
    for (let life = 0; kills.length < ROUNDS; life += 1) {
      const place = await copyTrialFolder(base, join(folder, `life-${life}`), upstream);
      const pending = watchPending(place.view);
      {
        upstream.show('first');
        await using trial = await startTrial(place, ONCE);
        for (const face of FACES) await killThroughFace(trial, face);
        expect(await wrongWithNodes(trial, upstream.projects, expected)).toEqual([]);
      }
      await pending.stop();

      const settled = await readSettled(place.view);
      expect(differences(settled, expected)).toEqual([]);
      expect(await wrongWithTrial(place)).toEqual([]);
      expect(await lostFacts(place, pending, settled)).toEqual([]);
      report(`life ${life}: ${kills.length} kills, the same ${settled.lines.length} facts, ${pending.acknowledged.size} seen pending`);
      rmSync(place.root, { recursive: true });
    }
    report(`settled after the last kill within ${settledAfterMs.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s`);
    report(`refused: ${[...refusals].map(([code, count]) => `${count} ${code}`).join(', ') || 'nothing'}`);
    report(`killed: ${VICTIMS.map((victim) => `${victim} ${kills.filter((kill) => kill === victim).length}`).join(', ')}`);
  });
});

describe('two sequencers', () => {
  it('take turns, and who wakes in the middle of a batch does no harm', async () => {
    keepEvidence();
    const place = await copyTrialFolder(base, join(folder, 'two-sequencers'), upstream);
    {
      upstream.show('first');
      await using trial = await startTrial(place, { ...ONCE, sequencer: ['--events'] });
      const { sequencer } = trial.deployment;
      const second = trial.deployment.start('sequencer 2', 'sequencer');
      const standsBy = Promise.race([sequencer, second].map(({ name }) => trial.until(name, /standing by/)));
      const { name } = await within(120, 'one of two sequencers stands by', trial, standsBy);
      report(`  ${name} stands by`);
      for (const face of FACES) {
        const scheduler = schedulerFor(trial, face);
        const slept = await sleepInBatch(trial, [sequencer, second]);
        report(`  ${face} face: ${slept.name} slept in a batch; the other wrote one ${(slept.silentMs / 1000).toFixed(1)} s later`);
        expect(await within(SETTLES_WITHIN_S, `${face} face`, trial, scheduler.ended)).toBe(0);
        // A head that stood still for 20 s is taken over, for each of the two ledgers.
        expect(slept.silentMs).toBeLessThan(60_000);
        expect(failuresOf(trial)).toEqual([]);
      }
      expect([sequencer.starts(), second.starts()]).toEqual([1, 1]);
    }

    expect(differences(await readSettled(place.view), expected)).toEqual([]);
    expect(await wrongWithTrial(place)).toEqual([]);
    rmSync(place.root, { recursive: true });
  });
});

describe('start:distributed', () => {
  it('ends everything that it started on Ctrl-C, and goes on at the next start', async () => {
    keepEvidence();
    const place = await copyTrialFolder(base, join(folder, 'interrupted'), upstream);
    upstream.show('first');
    const first = startDistributed(place, await freePort());
    await first.until(/^worker 2: taking jobs/);
    await sleep(chance() * 5000);
    first.interrupt();
    expect((await first.ended).code).toBe(130);
    expect(await leftoversOf(place)).toEqual([]);

    for (const face of FACES) {
      upstream.show(face);
      const { code, lines } = await startDistributed(place, await freePort()).ended;
      expect(code, lines.slice(-40).join('\n')).toBe(0);
    }

    expect(differences(await readSettled(place.view), expected)).toEqual([]);
    expect(await wrongWithTrial(place)).toEqual([]);
    rmSync(place.root, { recursive: true });
  });
});

async function calmFace(trial: Trial, face: Face): Promise<void> {
  const startedAt = performance.now();
  const scheduler = schedulerFor(trial, face);
  expect(await within(SETTLES_WITHIN_S, `${face} face`, trial, scheduler.ended)).toBe(0);
  tookMs.set(face, performance.now() - startedAt);
  expect(failuresOf(trial)).toEqual([]);
}

/** Each face has a scheduler of its own, which ends when it finds nothing to do. */
function schedulerFor({ deployment }: Trial, face: Face): Process {
  if (face === 'first') return deployment.scheduler;
  upstream.show(face);
  return deployment.start('scheduler 2', 'scheduler');
}

async function killThroughFace(trial: Trial, face: Face): Promise<void> {
  const scheduler = schedulerFor(trial, face);
  let hasEnded = false;
  void scheduler.ended.then(() => {
    hasEnded = true;
  });
  const gapMs = (2 * (tookMs.get(face) ?? 0)) / (KILLS_PER_FACE + 1);
  let lastKillAt = performance.now();
  for (let round = 0; round < KILLS_PER_FACE && kills.length < ROUNDS; round += 1) {
    await sleep(chance() * gapMs);
    if (hasEnded) break;
    // Each in turn, and not always at the same stage of a life.
    const victim = VICTIMS[(kills.length + 3 * Math.floor(kills.length / VICTIMS.length)) % VICTIMS.length] ?? 'worker 1';
    if (await killVictim(trial, victim, { scheduler, downMs: chance() * LONGEST_DOWN_MS })) kills.push(victim);
    lastKillAt = performance.now();
    report(`  ${face} face, kill ${kills.length}: ${victim}`);
  }
  expect(await within(SETTLES_WITHIN_S, `${face} face after kills`, trial, scheduler.ended)).toBe(0);
  settledAfterMs.push(performance.now() - lastKillAt);
  report(`  settled ${((performance.now() - lastKillAt) / 1000).toFixed(1)} s after the last kill`);
  expect(failuresOf(trial)).toEqual([]);
}

/** What the last scheduler said that it gave up on or put off, and what is missing. */
function failuresOf({ lines }: Trial): readonly unknown[] {
  const result = lines.findLast(({ line }) => line.startsWith('{"artifacts"'));
  if (result === undefined) return ['the scheduler printed no result'];
  const { failures, missing }: { failures: readonly unknown[]; missing: object } = JSON.parse(result.line);
  return [...failures, ...Object.entries(missing)];
}

/** A fact that was acknowledged is in a ledger, or was refused because the ledger had gone on: then somebody else had written the same state. */
async function lostFacts({ view }: TrialFolder, { acknowledged }: PendingWatch, { keys }: Settled): Promise<readonly string[]> {
  const refused = await refusedFacts(view);
  for (const { code } of refused) refusals.set(code, (refusals.get(code) ?? 0) + 1);
  const stale = new Set(refused.filter(({ code }) => code === 'stale-prev').map(({ key }) => key));
  const others = refused.filter(({ code }) => code !== 'stale-prev').map(({ code, reason }) => `refused: ${code}: ${reason}`);
  return [...others, ...[...acknowledged].filter((key) => !keys.has(key) && !stale.has(key)).map((key) => `lost ${key}`)];
}

async function toTheEnd(site: SiteFolder): Promise<void> {
  const { end, complaints } = await runUp(site);
  expect(complaints).toEqual([]);
  expect(end).toEqual({ type: 'exited', code: 0 });
}

function keepEvidence(): void {
  onTestFailed(() => {
    isEvidence = true;
  });
}
