import { isModulePath } from './names.ts';
import { isVersion } from './versions.ts';

export interface ModuleVersion {
  readonly path: string;
  readonly version: string;
}
/** What a `go.mod` says of its module and of the module graph. */
export interface GoMod {
  /** As it is written, whether it could be one or not. */
  readonly path?: string;
  /** Major and minor of the language version that it is written for. */
  readonly language?: LanguageVersion;
  readonly requires: readonly ModuleVersion[];
  /** From Go 1.17 on a module names all that its packages need, so that nobody has to look further. */
  readonly pruned: boolean;
}

export interface LanguageVersion {
  readonly major: number;
  readonly minor: number;
}

const MAX_REQUIRES = 20_000;

/** Reads untrusted text: what can't be understood is passed over, as clients do with the `go.mod` of a dependency. */
export function parseGoMod(bytes: Uint8Array): GoMod {
  const requires: ModuleVersion[] = [];
  let block = '';
  let path: string | undefined;
  let language: LanguageVersion | undefined;
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
    else if (verb === 'go') language = languageOf(first);
    else if (verb === 'module') path ??= unquote(first);
    else if (verb === 'require' && requires.length < MAX_REQUIRES) requires.push(...requirement(first, second));
  }
  const pruned = language !== undefined && isAtLeast(language, { major: 1, minor: 17 });
  return { requires, pruned, ...(path === undefined ? {} : { path }), ...(language === undefined ? {} : { language }) };
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

function languageOf(goVersion: string): LanguageVersion | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})(?!\d)/.exec(goVersion) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

export function isAtLeast(one: LanguageVersion, other: LanguageVersion): boolean {
  return one.major > other.major || (one.major === other.major && one.minor >= other.minor);
}
