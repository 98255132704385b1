import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError, type TomlTable, type TomlValue } from 'smol-toml';

const MAX_BYTES = 512 * 1024;
/** Targets that nobody builds who depends on a crate or installs it: which of them a manifest names depends on which files are packed, since 1.80. */
const ONLY_ITS_OWN: ReadonlySet<string> = new Set(['example', 'test', 'bench']);
/** Keys of `package` with what stands for leaving them out, where there is no other file than those that are packed: cargo says them since 1.80. */
const SAID_SINCE: readonly (readonly [key: string, ...values: readonly TomlValue[]])[] = [
  ['autolib', false],
  ['autobins', false],
  ['autoexamples', false],
  ['autotests', false],
  ['autobenches', false],
  ['build', false, 'build.rs'],
  ['readme', false, 'README.md'],
];

/**
 * Do two manifests that cargo normalized say the same to whoever depends on the crate or installs it, whatever version of it wrote them: the order of keys, the form of values, and
 * what it finds by itself or is told? Untrusted: what can't be read says nothing.
 */
export function sameManifest(one: string, other: string): boolean {
  const [a, b] = [readTable(one), readTable(other)];
  return a !== undefined && b !== undefined && isDeepStrictEqual(plain(a), plain(b)) && !contradict(a, b);
}

/** A build script that runs is none that doesn't, though leaving it out may stand for either. */
function contradict(one: TomlTable, other: TomlTable): boolean {
  const [theirs, ours] = [one, other].map((manifest) => tableIn(manifest, 'package')?.['build']);
  return theirs !== undefined && ours !== undefined && theirs !== ours;
}

function readTable(text: string): TomlTable | undefined {
  if (text.length > MAX_BYTES) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}

function plain(manifest: TomlTable): readonly (readonly [string, unknown])[] {
  const about = tableIn(manifest, 'package') ?? {};
  const name = typeof about['name'] === 'string' ? about['name'] : '';
  return Object.entries(manifest)
    .filter(([key]) => !ONLY_ITS_OWN.has(key))
    .map(([key, value]): readonly [string, unknown] => [key, plainValue(key, value, name)])
    .filter(([, value]) => !isEmpty(value))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function plainValue(key: string, value: TomlValue, name: string): unknown {
  if (key === 'bin' && Array.isArray(value)) return plainPrograms(value, name);
  if (!isTable(value)) return value;
  if (key === 'package') return without(value, SAID_SINCE);
  if (key === 'lib')
    return without(value, [
      ['name', name.replaceAll('-', '_')],
      ['path', 'src/lib.rs'],
    ]);
  return key === 'profile' ? mapped(value, (profile) => (isTable(profile) ? mapped(profile, plainDebug) : profile)) : value;
}

/** By name, without those of which nothing is said but where they lie, and there cargo looks anyway (the Cargo book, target auto-discovery). */
function plainPrograms(targets: readonly TomlValue[], ofPackage: string): readonly unknown[] {
  return targets
    .map((target) => {
      const name = isTable(target) && typeof target['name'] === 'string' ? target['name'] : undefined;
      if (!isTable(target) || name === undefined) return target;
      return without(target, [['path', `src/bin/${name}.rs`, `src/bin/${name}/main.rs`, ...(name === ofPackage ? ['src/main.rs'] : [])]]);
    })
    .filter((target) => !(isTable(target) && Object.keys(target).join() === 'name'))
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Numbers since 1.71. */
function plainDebug(value: TomlValue, key: string): TomlValue {
  return key === 'debug' && typeof value === 'boolean' ? Number(value) * 2 : value;
}

function without(table: TomlTable, said: readonly (readonly [key: string, ...values: readonly TomlValue[]])[]): TomlTable {
  return Object.fromEntries(Object.entries(table).filter(([key, value]) => !said.some(([name, ...values]) => name === key && values.includes(value))));
}

function mapped(table: TomlTable, change: (value: TomlValue, key: string) => TomlValue): TomlTable {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value, key)]));
}

function tableIn(table: TomlTable, key: string): TomlTable | undefined {
  const value = Object.hasOwn(table, key) ? table[key] : undefined;
  return value !== undefined && isTable(value) ? value : undefined;
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && Object.keys(value).length === 0;
}
