import type { CurrentDocument } from '@granary/contract/ecosystem';
import type { Resolution } from '@granary/contract/ports';
import type { Instant, Purl } from '@granary/core/model';
import { compareBuild, parse, type SemVer } from 'semver';
import { type Needed, neededBy } from './features.ts';
import { isCrateName, packagePurl } from './names.ts';
import { parseRequirement } from './requirement.ts';
import { type IndexLine, type Needs, parseIndexFile, readNeeds } from './schema.ts';

/** More versions than any product has: beyond, it isn't resolved. */
const MAX_VERSIONS = 20_000;
/** Versions whose dependencies are looked up at a time. */
const AT_ONCE = 8;

type Current = (packagePurl: Purl) => Promise<CurrentDocument | undefined>;

/** A version that is needed, with all that is asked of it so far. */
interface Chosen {
  readonly line: IndexLine;
  readonly needs: Needs;
  readonly features: Set<string>;
  everything: boolean;
}

/** Where a closure begins. */
export interface Root {
  readonly name: string;
  readonly requirement: string;
  /** Nothing is said where there is none. */
  readonly isOptional?: boolean;
  /** `itself`: not what it needs in its turn. */
  readonly asked: { readonly features: readonly string[]; readonly everything: boolean } | 'itself';
}

/**
 * Every version that cargo takes for these requirements (`serde ^1`) when it takes the newest that each dependency allows, on any platform:
 * with all features of what is wanted itself, below that with the features that are asked for. Where cargo has to step back from a newest
 * version, because of two crates that link one library or of the compiler's age, it may take one that isn't among them.
 */
export async function resolveRequirements(requirements: readonly string[], current: Current): Promise<Resolution> {
  const roots = requirements.map((text): Root => {
    const [, name = text, requirement = '*'] = /^(\S+) (.+)$/.exec(text) ?? [];
    return { name, requirement, asked: { features: ['default'], everything: true } };
  });
  return await resolveRoots(
    roots,
    openCrates((name) => newestFirst(current, name), standingOf),
  );
}

/**
 * The same of what stood in the index by a time. Nothing tells when a version was yanked that is so today: both are taken, the newest, and the newest of those
 * that aren't.
 */
export async function resolveRootsAsOf(roots: readonly Root[], current: Current, before: Instant): Promise<Resolution> {
  const versionsOf = async (name: string) => (await newestFirst(current, name)).filter(({ line }) => (line.publishedAt ?? '') <= before);
  return await resolveRoots(
    roots,
    openCrates(versionsOf, (matching) => [...new Set([matching[0], matching.find(({ yanked }) => !yanked)])].flatMap((line) => line ?? [])),
  );
}

async function resolveRoots(roots: readonly Root[], crates: Crates): Promise<Resolution> {
  const closure = openClosure();
  for (const batch of batches(roots, AT_ONCE)) {
    const found = await Promise.all(batch.map(async ({ name, requirement }) => await crates.newest(name, requirement, 'wanted')));
    for (const [index, { name, requirement, asked, isOptional = false }] of batch.entries()) {
      const lines = found[index] ?? [];
      if (lines.length === 0 && !isOptional) return { ok: false, why: 'unavailable', detail: `upstream has no version of ${name} that ${requirement} allows` };
      for (const line of lines) closure.take(line, asked);
    }
  }
  for (let wave = closure.next(AT_ONCE); wave.length > 0; wave = closure.next(AT_ONCE)) {
    if (closure.size() > MAX_VERSIONS) return { ok: false, why: 'conflict', detail: `more than ${MAX_VERSIONS} versions are needed` };
    const edges = wave.flatMap((by) => neededBy(by.needs, by).map((needed) => ({ by, needed })));
    const lines = await Promise.all(edges.map(async ({ needed }) => await linesOf(crates, needed)));
    for (const [index, { by, needed }] of edges.entries()) {
      const taken = lines[index] ?? [];
      if (taken.length === 0) closure.miss(by, needed);
      for (const line of taken) closure.take(line, { features: needed.features, everything: false });
    }
  }
  return closure.result();
}

function batches<T>(values: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size));
}

async function linesOf(crates: Crates, { dependency }: Needed): Promise<readonly IndexLine[]> {
  return dependency.elsewhere ? [] : await crates.newest(dependency.name, dependency.requirement, 'needed');
}

interface VersionClosure {
  /** What is asked of a version only grows; whenever it did, its dependencies are looked at again. */
  take(line: IndexLine, asked: Root['asked']): void;
  miss(by: Chosen, needed: Needed): void;
  next(count: number): readonly Chosen[];
  size(): number;
  result(): Resolution;
}

function openClosure(): VersionClosure {
  const chosen = new Map<string, Chosen>();
  const open = new Set<Chosen>();
  const followed = new Set<Chosen>();
  const missing = new Set<string>();
  const add = (key: string, line: IndexLine): Chosen => {
    const needs = readNeeds(line);
    if (needs === undefined) missing.add(`${line.name} ${line.version}: its dependencies can't be read`);
    const added = { line, needs: needs ?? { dependencies: [], features: new Map() }, features: new Set<string>(), everything: false };
    chosen.set(key, added);
    return added;
  };
  return {
    take(line, asked) {
      const key = `${line.name} ${line.version}`;
      const known = chosen.get(key);
      const of = known ?? add(key, line);
      if (asked === 'itself') return;
      const before = of.features.size;
      for (const feature of asked.features) of.features.add(feature);
      if (!followed.has(of) || of.features.size > before || (asked.everything && !of.everything)) open.add(of);
      followed.add(of);
      of.everything ||= asked.everything;
    },
    miss({ line }, { dependency: { name, requirement, elsewhere } }) {
      const why = elsewhere ? 'it comes from another registry' : 'upstream has no version that it allows';
      missing.add(`${line.name} ${line.version} needs ${name} ${requirement}: ${why}`);
    },
    next(count) {
      const wave = [...open].slice(0, count);
      for (const taken of wave) open.delete(taken);
      return wave;
    },
    size: () => chosen.size,
    result: () => ({
      ok: true,
      pins: [...chosen.values()].map(({ line: { name, version } }) => ({ name, version })),
      ...(missing.size === 0 ? {} : { notCovered: [...missing].sort() }),
    }),
  };
}

interface Crates {
  /** The newest version that a requirement allows, and which else may stand for it; none where there is none. */
  newest(name: string, requirement: string, as: 'wanted' | 'needed'): Promise<readonly IndexLine[]>;
}
interface Version {
  readonly line: IndexLine;
  readonly number: SemVer;
}
/** Which of the versions that a requirement allows are taken, newest first. */
type Choose = (matching: readonly IndexLine[], asked: { readonly requirement: string; readonly as: 'wanted' | 'needed' }) => readonly IndexLine[];

/** A yanked one only when it is wanted by its own number. */
const standingOf: Choose = (matching, { requirement, as }) => {
  const line = matching.find(({ yanked }) => !yanked) ?? (as === 'wanted' && requirement.startsWith('=') ? matching[0] : undefined);
  return line === undefined ? [] : [line];
};

function openCrates(read: (name: string) => Promise<readonly Version[]>, choose: Choose): Crates {
  const versions = new Map<string, Promise<readonly Version[]>>();
  const answers = new Map<string, Promise<readonly IndexLine[]>>();
  const versionsOf = (name: string): Promise<readonly Version[]> => {
    const known = versions.get(name) ?? read(name);
    versions.set(name, known);
    return known;
  };
  const look = async (name: string, requirement: string, as: 'wanted' | 'needed'): Promise<readonly IndexLine[]> => {
    const range = parseRequirement(requirement);
    if (range === undefined || !isCrateName(name)) return [];
    const matching = (await versionsOf(name)).filter(({ number }) => range.test(number));
    return choose(
      matching.map(({ line }) => line),
      { requirement, as },
    );
  };
  return {
    newest(name, requirement, as) {
      const key = `${as} ${name} ${requirement}`;
      const known = answers.get(key) ?? look(name, requirement, as);
      answers.set(key, known);
      return known;
    },
  };
}

async function newestFirst(current: Current, name: string): Promise<readonly Version[]> {
  const document = await current(packagePurl(name));
  if (document === undefined) return [];
  return parseIndexFile(document.bytes, document.url)
    .lines.flatMap((line) => {
      const number = line.name.toLowerCase() === name.toLowerCase() ? parse(line.version) : null;
      return number === null ? [] : [{ line, number }];
    })
    .sort((a, b) => compareBuild(b.number, a.number));
}
