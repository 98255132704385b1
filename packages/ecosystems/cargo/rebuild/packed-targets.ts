import type { TomlTable, TomlValue } from 'smol-toml';
import { isTable, valueAt } from './canonical-toml.ts';
import type { PackedFiles } from './packed-files.ts';

/** What decides which targets cargo finds by itself. */
export interface TargetRules {
  readonly packageName: string;
  readonly edition: string;
  /** `autobins` and its like; undefined where the manifest says nothing. */
  readonly automatic: boolean | undefined;
  readonly files: PackedFiles;
}

/** The tables of targets that a package may have several of, with the folder that cargo looks into, and the key of `package` that forbids it to. */
export const TARGET_KINDS = [
  { key: 'bin', folder: 'src/bin', automatic: 'autobins' },
  { key: 'example', folder: 'examples', automatic: 'autoexamples' },
  { key: 'test', folder: 'tests', automatic: 'autotests' },
  { key: 'bench', folder: 'benches', automatic: 'autobenches' },
] as const;
type TargetKind = (typeof TARGET_KINDS)[number];

interface Target {
  readonly name: string;
  readonly path: string | undefined;
  readonly table: TomlTable;
}
/** Paths by name: more than one where cargo couldn't tell which is meant. */
type Found = ReadonlyMap<string, readonly string[]>;

/**
 * All targets of a kind, those that cargo would find among the packed files too, each with its path, by name (the Cargo book, target auto-discovery). Examples, tests and benches whose
 * file isn't packed are left out: since 1.80 cargo does so, and nobody could build them. Undefined where cargo would refuse the manifest, or versions of it disagree.
 */
export function targetsOf(kind: TargetKind, listed: TomlValue | undefined, rules: TargetRules): readonly TomlTable[] | undefined {
  const told = readTargets(listed);
  if (told === undefined) return undefined;
  const found = foundTargets(kind, rules);
  const names = new Set(told.map(({ name }) => name));
  const paths = new Set(told.map(({ path }) => path));
  const looks = rules.automatic ?? (listed === undefined || rules.edition !== '2015');
  const others = [...found].flatMap(([name, places]) =>
    looks && !names.has(name) ? places.filter((path) => !paths.has(path)).map((path): Target => ({ name, path, table: { name } })) : [],
  );
  const all = [...told.map((target) => placed(target, found)), ...others].filter((target) => kind.key === 'bin' || !isAbsent(target, found, rules));
  if (new Set(all.map(({ name }) => name)).size < all.length || all.some(({ path }) => path === undefined)) return undefined;
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ table, path }) => ({ ...table, ...(path === undefined ? {} : { path }) }));
}

/** False where there is none; undefined as for {@link targetsOf}. */
export function libraryOf(told: TomlValue | undefined, { packageName, automatic, files }: TargetRules): TomlTable | false | undefined {
  const usual = files.paths.has('src/lib.rs') ? 'src/lib.rs' : undefined;
  if (told === undefined && (automatic === false || usual === undefined)) return false;
  const library: TomlValue = told ?? {};
  if (!isTable(library)) return undefined;
  const name = valueAt(library, 'name') ?? packageName.replaceAll('-', '_');
  const path = valueAt(library, 'path') ?? usual;
  return typeof path === 'string' ? { ...library, name, path: plainPath(path) } : undefined;
}

/** A path below the package's folder without its empty steps; any other as it is. */
export function plainPath(path: string): string {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  return isBelow(path) && !path.endsWith('/') ? steps.join('/') : path;
}

function isBelow(path: string): boolean {
  return !/^\/|[\\:]/.test(path) && !path.split('/').includes('..') && /[^./]/.test(path);
}

function readTargets(listed: TomlValue | undefined): readonly Target[] | undefined {
  if (listed === undefined) return [];
  if (!Array.isArray(listed)) return undefined;
  const targets = listed.flatMap((table): readonly Target[] => {
    if (!isTable(table)) return [];
    const [name, path] = [valueAt(table, 'name'), valueAt(table, 'path')];
    if (typeof name !== 'string' || (path !== undefined && typeof path !== 'string')) return [];
    return [{ name, path: path === undefined ? undefined : plainPath(path), table }];
  });
  return targets.length === listed.length ? targets : undefined;
}

/** A file `name.rs`, or a folder of the name with a `main.rs`; hidden ones aren't looked at. */
function foundTargets({ key, folder }: TargetKind, { packageName, files: { paths } }: TargetRules): Found {
  const nameOf = (path: string): string | undefined => {
    if (key === 'bin' && path === 'src/main.rs') return packageName;
    return path.startsWith(`${folder}/`) ? /^([^./][^/]*)(?:\.rs|\/main\.rs)$/.exec(path.slice(folder.length + 1))?.[1] : undefined;
  };
  const found = Map.groupBy(paths, nameOf);
  return new Map([...found].flatMap(([name, places]) => (name === undefined ? [] : [[name, places] as const])));
}

/** Without a path, the one file that has its name. */
function placed(target: Target, found: Found): Target {
  const places = found.get(target.name);
  return target.path === undefined && places?.length === 1 ? { ...target, path: places[0] } : target;
}

function isAbsent({ name, path }: Target, found: Found, { edition, files }: TargetRules): boolean {
  if (path !== undefined) return isBelow(path) && !files.mayHave(path);
  if (found.has(name)) return false;
  // The one place of edition 2015 where cargo looks for a benchmark besides its folder.
  return edition !== '2015' || name !== 'bench' || !files.mayHave('src/bench.rs');
}
