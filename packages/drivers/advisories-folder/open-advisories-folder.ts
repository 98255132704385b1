import { join } from 'node:path';
import type { Advisories, Clock, KnownAdvisories } from '@granary/contract/ports';
import type { OsvRecord } from '@granary/core/osv';
import { type FolderIndex, indexFolder } from './index-folder.ts';
import { readAdvisory } from './read-advisory.ts';

/** The advisories of a folder, which is looked at again and again until this is disposed. */
export interface AdvisoriesFolder extends Advisories, AsyncDisposable {
  /** Resolves after the first look, whatever it came to. */
  readonly ready: Promise<void>;
}
export interface AdvisoriesFolderOptions {
  /** Absolute. JSON files as in an export of an OSV database, in it or below. */
  readonly folder: string;
  readonly clock: Clock;
  /** Told what is wrong, and once it is right again; not twice the same. */
  readonly note: (text: string) => void;
  /** Between two looks; longer where looking takes long. */
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;
/** Looking takes at most a twentieth of the time. */
const REST = 20;
/** Advisories that one question may concern: a large project has some hundreds. */
const MAX_ASKED = 5000;
const AT_ONCE = 16;
const MAX_NAMED = 20;

export function openAdvisoriesFolder({ folder, clock, note, everyMs = EVERY_MS }: AdvisoriesFolderOptions): AdvisoriesFolder {
  const ending = new AbortController();
  const { signal } = ending;
  const standing: Standing = { index: undefined, lookedAt: 0, problem: undefined };
  const noteProblems = noteOnce(folder, note);
  const onFile = () => {
    standing.lookedAt += 1;
  };
  const look = async (): Promise<void> => {
    standing.lookedAt = 0;
    try {
      standing.index = await indexFolder(folder, { before: standing.index, signal, onFile });
      standing.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      // What was known is no longer known to hold.
      standing.index = undefined;
      standing.problem = error instanceof Error ? error.message : String(error);
    }
    noteProblems(standing);
  };
  const ready = look();
  const following = (async () => {
    await ready;
    for (let tookMs = 0; !signal.aborted; ) {
      await clock.sleep(Math.max(everyMs, tookMs * REST), signal).catch(() => undefined);
      const startedAt = performance.now();
      if (!signal.aborted) await look();
      tookMs = performance.now() - startedAt;
    }
  })();
  return {
    ready,
    of: (ecosystem, names) => answer(folder, standing, { ecosystem, names }),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await following;
    },
  };
}

interface Standing {
  /** Undefined before the first look is through, and while the folder can't be read. */
  index: FolderIndex | undefined;
  /** Files that the look under way has seen. */
  lookedAt: number;
  problem: string | undefined;
}
interface Asked {
  readonly ecosystem: string;
  readonly names: readonly string[];
}

async function answer(folder: string, { index, lookedAt, problem }: Standing, { ecosystem, names }: Asked): Promise<KnownAdvisories> {
  if (problem !== undefined) return unknown(424, 'the folder of advisories can not be read; granary doctor says why');
  if (index === undefined) return unknown(503, `the advisories are being read, ${lookedAt} files so far: ask again in a while`);
  const known = index.packages.get(ecosystem);
  if (known === undefined) return unknown(424, `the folder of advisories holds none for ${ecosystem}, so that nothing is known of vulnerabilities`);
  const wanted = names.flatMap((name) => (known.get(name) ?? []).map((path) => ({ name, path })));
  if (wanted.length > MAX_ASKED) return unknown(413, `${wanted.length} advisories are about what was asked for, at most ${MAX_ASKED} are looked at at once`);
  const records = await readAll(folder, new Set(wanted.map(({ path }) => path)));
  // Another process is exchanging the files: what is missing may have come under another name.
  if (records === undefined) return unknown(503, 'the folder of advisories is changing: ask again in a while');
  const inForce = wanted.flatMap(({ name, path }) => {
    const record = records.get(path);
    return record === undefined || record.withdrawn ? [] : [{ name, record }];
  });
  // In an order that says nothing of the disk.
  const sorted = inForce.toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1));
  const byName = Map.groupBy(sorted, ({ name }) => name);
  return { type: 'known', byName: new Map([...byName].map(([name, found]) => [name, found.map(({ record }) => record)])) };
}

/** By path; undefined when one can't be had or understood any longer. */
async function readAll(folder: string, paths: ReadonlySet<string>): Promise<ReadonlyMap<string, OsvRecord> | undefined> {
  const records = new Map<string, OsvRecord>();
  const waiting = paths.values();
  const work = async (): Promise<boolean> => {
    for (const path of waiting) {
      const read = await readAdvisory(join(folder, path));
      if (read === 'gone' || !read.ok) return false;
      records.set(path, read.record);
    }
    return true;
  };
  const done = await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done.every((isDone) => isDone) ? records : undefined;
}

function unknown(status: 413 | 424 | 503, why: string): KnownAdvisories {
  return { type: 'unknown', status, why };
}

function noteOnce(folder: string, note: (text: string) => void): (standing: Standing) => void {
  let told = '';
  const toldBroken = new Set<string>();
  return ({ index, problem }) => {
    const now = problem === undefined ? `${index?.count ?? 0} advisories` : problem;
    if (now !== told) note(`advisories of ${folder}: ${now}`);
    told = now;
    const broken = (index?.broken ?? []).filter(({ path, why }) => !toldBroken.has(`${path} ${why}`));
    for (const { path, why } of broken.slice(0, MAX_NAMED)) note(`advisories of ${folder}: ${path} is passed over: ${why}`);
    if (broken.length > MAX_NAMED) note(`advisories of ${folder}: ${broken.length - MAX_NAMED} more are passed over; granary doctor counts them`);
    for (const { path, why } of broken) if (toldBroken.size < 10_000) toldBroken.add(`${path} ${why}`);
  };
}
