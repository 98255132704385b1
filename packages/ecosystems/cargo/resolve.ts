import type { CurrentDocument } from '@granary/contract/ecosystem';
import type { Resolution } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
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

/**
 * Every version that cargo takes for these requirements (`serde ^1`) when it takes the newest that each dependency allows, on any platform:
 * with all features of what is wanted itself, below that with the features that are asked for. Where cargo has to step back from a newest
 * version, because of two crates that link one library or of the compiler's age, it may take one that isn't among them.
 */
export async function resolveRequirements(requirements: readonly string[], current: Current): Promise<Resolution> {
  const crates = openCrates(current);
  const closure = openClosure();
  for (const requirement of requirements) {
    const [, name = requirement, text = '*'] = /^(\S+) (.+)$/.exec(requirement) ?? [];
    const line = await crates.newest(name, text, 'wanted');
    if (line === undefined) return { ok: false, why: 'unavailable', detail: `upstream has no version of ${name} that ${text} allows` };
    closure.take(line, { features: ['default'], everything: true });
  }
  for (let wave = closure.next(AT_ONCE); wave.length > 0; wave = closure.next(AT_ONCE)) {
    if (closure.size() > MAX_VERSIONS) return { ok: false, why: 'conflict', detail: `more than ${MAX_VERSIONS} versions are needed` };
    const edges = wave.flatMap((by) => neededBy(by.needs, by).map((needed) => ({ by, needed })));
    const lines = await Promise.all(edges.map(async ({ needed }) => await lineOf(crates, needed)));
    for (const [index, { by, needed }] of edges.entries()) {
      const line = lines[index];
      if (line === undefined) closure.miss(by, needed);
      else closure.take(line, { features: needed.features, everything: false });
    }
  }
  return closure.result();
}

async function lineOf(crates: Crates, { dependency }: Needed): Promise<IndexLine | undefined> {
  return dependency.elsewhere ? undefined : await crates.newest(dependency.name, dependency.requirement, 'needed');
}

interface VersionClosure {
  /** What is asked of a version only grows; whenever it did, its dependencies are looked at again. */
  take(line: IndexLine, asked: { readonly features: readonly string[]; readonly everything: boolean }): void;
  miss(by: Chosen, needed: Needed): void;
  next(count: number): readonly Chosen[];
  size(): number;
  result(): Resolution;
}

function openClosure(): VersionClosure {
  const chosen = new Map<string, Chosen>();
  const open = new Set<Chosen>();
  const missing = new Set<string>();
  const add = (key: string, line: IndexLine): Chosen => {
    const needs = readNeeds(line);
    if (needs === undefined) missing.add(`${line.name} ${line.version}: its dependencies can't be read`);
    const added = { line, needs: needs ?? { dependencies: [], features: new Map() }, features: new Set<string>(), everything: false };
    chosen.set(key, added);
    open.add(added);
    return added;
  };
  return {
    take(line, asked) {
      const key = `${line.name} ${line.version}`;
      const of = chosen.get(key) ?? add(key, line);
      const before = of.features.size;
      for (const feature of asked.features) of.features.add(feature);
      if (of.features.size > before || (asked.everything && !of.everything)) open.add(of);
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
  /** The newest version that a requirement allows; a yanked one only when it is wanted by its own number. */
  newest(name: string, requirement: string, as: 'wanted' | 'needed'): Promise<IndexLine | undefined>;
}
interface Version {
  readonly line: IndexLine;
  readonly number: SemVer;
}

function openCrates(current: Current): Crates {
  const versions = new Map<string, Promise<readonly Version[]>>();
  const answers = new Map<string, Promise<IndexLine | undefined>>();
  const versionsOf = (name: string): Promise<readonly Version[]> => {
    const known = versions.get(name) ?? newestFirst(current, name);
    versions.set(name, known);
    return known;
  };
  const look = async (name: string, requirement: string, as: 'wanted' | 'needed'): Promise<IndexLine | undefined> => {
    const range = parseRequirement(requirement);
    if (range === undefined || !isCrateName(name)) return undefined;
    const matching = (await versionsOf(name)).filter(({ number }) => range.test(number));
    const standing = matching.find(({ line }) => !line.yanked);
    return standing?.line ?? (as === 'wanted' && requirement.startsWith('=') ? matching[0]?.line : undefined);
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
