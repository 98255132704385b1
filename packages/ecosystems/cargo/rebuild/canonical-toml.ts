import { parse, TomlError, type TomlTable, type TomlValue } from 'smol-toml';

/** Above any manifest that is published: of the text that is read, of the text that it becomes, and of tables and arrays in each other. */
const MAX_CHARACTERS = 512 * 1024;
const MAX_CANONICAL_CHARACTERS = 4 * 2 ** 20;
const MAX_DEPTH = 32;

/** Integers are bigints, so that none is taken for a float. Undefined for what can't be read. Untrusted. */
export function readTomlTable(text: string): TomlTable | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  try {
    return parse(text, { integersAsBigInt: true, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}

/** A key of its own, never one that a prototype has. */
export function valueAt(table: TomlTable, key: string): TomlValue | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * The one text of a table: a line for each value, by its dotted key, in the order of the keys. It is TOML (1.0) that says the same, whatever form it was read from; two tables that differ
 * in a key, a value or a type have two texts. Undefined where there is none: a date (its last digits are lost when it is read), half a character, more than fits into the limits.
 */
export function canonicalToml(table: TomlTable): string | undefined {
  const lines: string[] = [];
  let characters = 0;
  for (const line of linesOf(table, '', 0)) {
    characters += (line?.length ?? 0) + 1;
    if (line === undefined || characters > MAX_CANONICAL_CHARACTERS) return undefined;
    lines.push(line);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function* linesOf(table: TomlTable, prefix: string, depth: number): Generator<string | undefined> {
  for (const [key, value] of Object.entries(table).toSorted(byKey)) {
    const path = `${prefix}${keyText(key)}`;
    if (depth < MAX_DEPTH && isTable(value) && Object.keys(value).length > 0) {
      yield* linesOf(value, `${path}.`, depth + 1);
    } else {
      const text = valueText(value, depth);
      yield text === undefined ? undefined : `${path} = ${text}`;
    }
  }
}

/** Of a table in an array, on a line of its own. */
function valueText(value: TomlValue, depth: number): string | undefined {
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return arrayText(value, depth + 1);
  return isTable(value) ? inlineText(value, depth + 1) : undefined;
}

function arrayText(values: readonly TomlValue[], depth: number): string | undefined {
  const texts = values.map((member) => valueText(member, depth));
  if (texts.includes(undefined)) return undefined;
  return values.some(isTable) ? `[\n${texts.map((text) => `  ${text},\n`).join('')}]` : `[${texts.join(', ')}]`;
}

function inlineText(table: TomlTable, depth: number): string | undefined {
  const members = Object.entries(table)
    .toSorted(byKey)
    .map(([key, member]) => ({ key: keyText(key), text: valueText(member, depth) }));
  return members.some(({ text }) => text === undefined) ? undefined : `{${members.map(({ key, text }) => `${key} = ${text}`).join(', ')}}`;
}

/** By code unit, the same everywhere. */
function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : (stringText(key) ?? JSON.stringify(key));
}

/** TOML 1.0, basic strings: what JSON escapes, and DEL. */
function stringText(text: string): string | undefined {
  return text.isWellFormed() ? JSON.stringify(text).replaceAll('\u007f', String.raw`\u007f`) : undefined;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
