import { isModulePath } from './names.ts';
import { isVersion } from './versions.ts';

export interface ModuleVersion {
  readonly path: string;
  readonly version: string;
}
/** What a `go.mod` says of the module graph. */
export interface GoMod {
  readonly requires: readonly ModuleVersion[];
  /** From Go 1.17 on a module names all that its packages need, so that nobody has to look further. */
  readonly pruned: boolean;
}

const MAX_REQUIRES = 20_000;

/** Reads untrusted text: what can't be understood is passed over, as clients do with the `go.mod` of a dependency. */
export function parseGoMod(bytes: Uint8Array): GoMod {
  const requires: ModuleVersion[] = [];
  let block = '';
  let pruned = false;
  for (const line of new TextDecoder().decode(bytes).split(/\r?\n/)) {
    const words = line
      .replace(/\/\/.*$/, '')
      .trim()
      .split(/\s+/);
    if (block !== '' && words[0] === ')') {
      block = '';
      continue;
    }
    const [verb = '', first = '', second = ''] = block === '' ? words : [block, ...words];
    if (first === '(') block = verb;
    else if (verb === 'go') pruned = isPrunedSince(first);
    else if (verb === 'require' && requires.length < MAX_REQUIRES) requires.push(...requirement(first, second));
  }
  return { requires, pruned };
}

function requirement(quotedPath: string, quotedVersion: string): readonly ModuleVersion[] {
  const [path, version] = [unquote(quotedPath), unquote(quotedVersion)];
  return isModulePath(path) && isVersion(version) ? [{ path, version }] : [];
}

function unquote(word: string): string {
  return (
    /^"([^"\\]*)"$|^`([^`]*)`$/
      .exec(word)
      ?.slice(1)
      .find((text) => text !== undefined) ?? word
  );
}

function isPrunedSince(goVersion: string): boolean {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,4})/.exec(goVersion) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 17);
}
