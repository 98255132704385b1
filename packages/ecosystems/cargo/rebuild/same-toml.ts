import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';

/** What cargo before 1.80 left to be found by whoever reads the manifest, and says since: that nothing is to be looked for. */
const SAID_SINCE: readonly (readonly [table: string, key: string])[] = ['autolib', 'autobins', 'autoexamples', 'autotests', 'autobenches'].map((key) => [
  'package',
  key,
]);
const MAX_BYTES = 512 * 1024;

/** Do two manifests say the same, whatever the order of keys and the form of values? Untrusted: what can't be read says nothing. */
export function sameToml(one: string, other: string): boolean {
  const [a, b] = [readTable(one), readTable(other)];
  return a !== undefined && b !== undefined && isDeepStrictEqual(a, b);
}

function readTable(text: string): unknown {
  if (text.length > MAX_BYTES) return undefined;
  try {
    const table = parse(text);
    for (const [name, key] of SAID_SINCE) {
      const inner = table[name];
      if (typeof inner === 'object' && !Array.isArray(inner) && inner !== null && key in inner && Reflect.get(inner, key) === false)
        Reflect.deleteProperty(inner, key);
    }
    return table;
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}
