import { isBuiltin } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type SourceFacts, sourceFacts } from './source-facts.ts';
import { sourceFiles, textOf } from './source-tree.ts';

/** Modules of Node that compute on values they are handed, and neither read nor write anything else. */
const PURE_BUILTINS = new Set(['node:buffer', 'node:crypto', 'node:stream', 'node:util', 'node:zlib']);
const IMPURE_MEMBERS_OF_PURE_BUILTINS = /\b(randomBytes|randomUUID|randomInt|randomFill|generateKeyPair|generateKeyPairSync)\b/;

const sources = sourceFiles()
  .filter((path) => /^(packages|apps|infra|test|bench)\/.*\.(ts|mjs)$/.test(path))
  .map((path) => ({ path, text: textOf(path) ?? '' }));

describe('pure code', () => {
  it.each(['packages/core/', 'packages/ecosystems/'])('%s reads no file, network, clock, chance or environment', (folder) => {
    const broken = sources
      .filter(({ path }) => path.startsWith(folder) && !isTest(path))
      .flatMap(({ path, text }) => impurities(sourceFacts(path, text), text).map((what) => `${path}: ${what}`));

    expect(broken).toEqual([]);
  });

  it('is told from impure code', () => {
    const text =
      "import { readFile } from 'node:fs/promises'; export const at = Date.now(); export const day = new Date(); const e = process.env['A']; fetch('x');";

    expect(impurities(sourceFacts('x.ts', text), text)).toEqual(['node:fs/promises', 'Date.now', 'new Date()', 'process.env', 'fetch']);
    expect(impurities(sourceFacts('y.ts', 'export const d = new Date(0); export const n = (o: { fetch(): void }) => o.fetch();'), '')).toEqual([]);
  });
});

describe('the environment', () => {
  it('is read by the configuration and by what stands outside the packages, and by nobody else', () => {
    const readers = sources
      .filter(({ path }) => path.startsWith('packages/') && !path.startsWith('packages/config/') && !isTest(path))
      .filter(({ path, text }) => sourceFacts(path, text).ambient.includes('process.env') || /import \{[^}]*\benv\b[^}]*\} from 'node:process'/.test(text))
      .map(({ path }) => path);

    expect(readers).toEqual([]);
  });
});

function isTest(path: string): boolean {
  return /\.(test|lane)\.ts$/.test(path) || path.includes('/test/');
}

function impurities({ imports, ambient }: SourceFacts, text: string): readonly string[] {
  const chance = IMPURE_MEMBERS_OF_PURE_BUILTINS.exec(text)?.[1];
  return [...imports.filter((specifier) => isBuiltin(specifier) && !PURE_BUILTINS.has(specifier)), ...ambient, ...(chance === undefined ? [] : [chance])];
}
