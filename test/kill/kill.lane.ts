import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { report, timed } from '../report.ts';
import { type Chance, chanceOf, type Timing, takeAim, timingOf } from './aims.ts';
import { distributionTable, insideOf, type Kill } from './distribution.ts';
import { findLeftovers } from './leftovers.ts';
import type { Moment } from './moments.ts';
import { checkSite, differences, type Onlooker, openOnlooker, readSettled, type Settled } from './read-site.ts';
import { runUp, type UpRun } from './run-up.ts';
import { copySite, makeSiteFolder, type SiteFolder } from './site-folder.ts';
import { type ChangingUpstream, openChangingUpstream } from './upstream.ts';

const KILLS = Number(process.env['KILLS'] ?? 100);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const LEAST_INSIDE = 5;
const FACES = ['first', 'second'] as const;
type Face = (typeof FACES)[number];

/** Everything that the spine records of what it found; `polled`, `site` and `key-added` tell of the run. */
const SETTLED_KINDS = ['observed', 'vanished', 'stored', 'located', 'wanted', 'watched', 'rebuilt', 'compared', 'verdict', 'attested', 'environment'] as const;
const RUN_KINDS = ['polled', 'key-added', 'site'] as const;
/** Two sites in turn, so that each stage is met on both faces of upstream. */
const AIMS: readonly Readonly<Record<Face, readonly (Moment | 'any')[]>>[] = [
  { first: ['any', 'demand', 'plan', 'build', 'judge', 'drain'], second: ['sync', 'fetch', 'attest', 'drain'] },
  { first: ['sync', 'any', 'fetch', 'attest', 'build'], second: ['any', 'demand', 'plan', 'fetch', 'judge'] },
];

const folder = mkdtempSync(join(tmpdir(), 'granary-kill-'));
const chance: Chance = chanceOf(SEED);
const kills: Kill[] = [];
const timings = new Map<Face, Timing>();
let upstream: ChangingUpstream;
let base: SiteFolder;
let expected: Settled;
let isEvidence = false;

beforeAll(async () => {
  report(`seed ${SEED}, folder ${folder}`);
  upstream = await timed('an upstream of real wheels', () => openChangingUpstream(join(folder, 'upstream')));
  upstream.show('first');
  base = await makeSiteFolder(join(folder, 'base'), { index: upstream.index, projects: [] });
  await timed('a root filesystem', () => toTheEnd(base));
}, 900_000);
afterAll(async () => {
  report(`\n${distributionTable(kills)}\n`);
  await upstream[Symbol.asyncDispose]();
  if (isEvidence) report(`what is left lies in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
});

describe('a run that nobody kills', () => {
  it('holds every kind of fact of the spine', async () => {
    const site = await copySite(base, join(folder, 'reference'), upstream);
    for (const face of FACES) {
      upstream.show(face);
      timings.set(face, timingOf(await timed(`${face} face`, () => toTheEnd(site))));
    }
    expected = await readSettled(site);

    report(`expected: ${expected.lines.length} facts, ${expected.digest}`);
    expect(await wrongWith(site)).toEqual([]);
    for (const kind of [...SETTLED_KINDS, ...RUN_KINDS]) expect(expected.kinds[kind], kind).toBeGreaterThan(0);
    for (const kind of SETTLED_KINDS)
      expect(
        expected.lines.some((line) => line.includes(`","${kind}","`)),
        kind,
      ).toBe(true);
  });
});

describe('a run that is killed from outside', () => {
  it('comes to the same once it is started again, whatever it was about', async () => {
    onTestFailed(() => {
      isEvidence = true;
    });
    for (let round = 0; kills.length < KILLS; round += 1) {
      const site = await copySite(base, join(folder, `site-${round}`), upstream);
      const onlooker = await openOnlooker(site);
      for (const face of FACES) {
        upstream.show(face);
        for (const at of AIMS[round % AIMS.length]?.[face] ?? []) if (kills.length < KILLS) await killAt({ site, onlooker, at, face });
        await toTheEnd(site);
      }

      const settled = await readSettled(site);
      expect(differences(settled, expected)).toEqual([]);
      expect(await wrongWith(site)).toEqual([]);
      expect([...onlooker.acknowledged].filter((key) => !settled.keys.has(key))).toEqual([]);
      report(`site ${round}: ${kills.length} kills, the same ${settled.lines.length} facts`);
      rmSync(site.root, { recursive: true });
    }

    if (KILLS < 100) return;
    for (const [moment, count] of insideOf(kills)) expect(count, moment).toBeGreaterThanOrEqual(LEAST_INSIDE);
  });
});

interface Shot {
  readonly site: SiteFolder;
  readonly onlooker: Onlooker;
  readonly at: Moment | 'any';
  readonly face: Face;
}

/** A run that ends before the shot falls is no kill; then there was nothing more of that kind to do. */
async function killAt({ site, onlooker, at, face }: Shot): Promise<void> {
  const timing = timings.get(face);
  if (timing === undefined) throw new Error(`nobody ran through the ${face} face`);
  const run = await runUp(site, takeAim(at, timing, chance));
  refuseComplaints(run);
  const seen = run.end.type === 'killed' ? [...run.end.inside].join(' ') : 'nothing, it had ended';
  report(`  ${at}: killed after ${(run.durationMs / 1000).toFixed(1)} s inside ${seen || 'none'}`);
  if (run.end.type === 'killed') kills.push({ aimedAt: at, inside: run.end.inside });
  else expect(run.end.code, run.complaints.join('\n')).toBe(0);
  expect(await onlooker.look()).toEqual([]);
}

async function toTheEnd(site: SiteFolder): Promise<UpRun> {
  const run = await runUp(site);
  refuseComplaints(run);
  expect(run.end, run.complaints.join('\n')).toEqual({ type: 'exited', code: 0 });
  return run;
}

function refuseComplaints({ complaints }: UpRun): void {
  expect(complaints).toEqual([]);
}

/** Of a killed process the last children may take a moment to die; nothing else may be left. */
async function wrongWith(site: SiteFolder): Promise<readonly string[]> {
  let left = await findLeftovers(site);
  for (let second = 0; second < 10 && left.length > 0; second += 1) {
    await sleep(1000);
    left = await findLeftovers(site);
  }
  return [...left, ...(await checkSite(site))];
}
