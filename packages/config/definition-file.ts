import { parseRepository } from '@granary/core/git';
import type { Purl } from '@granary/core/model';
import { Lexer } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { type ParsedYaml, parseYaml } from './parse-yaml.ts';
import { strict } from './schema.ts';

/** A file that somebody writes by hand. */
export const MAX_DEFINITION_FILE_BYTES = 64 * 2 ** 10;
/** Of its text: collections in one another. Three are enough for anything that it may say. */
const MAX_DEPTH = 64;
const MAX_RELEASES = 200;
/** In all: what comes to many faults takes the parser seconds. */
const MAX_BRACKETS = 10 * MAX_RELEASES;
const MAX_VARIABLES = 50;
const MAX_REQUIREMENTS = 50;

const Repository = z
  .string()
  .max(2048)
  .transform((text, context): Purl => {
    const repository = /^https:\/\//.test(text) ? parseRepository(text) : undefined;
    if (repository !== undefined) return repository.purl;
    context.addIssue({ code: 'custom', message: 'expected the https address of a repository, such as https://forge.example/owner/name' });
    return z.NEVER;
  });
const Commit = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected the whole id of a commit, in lower-case hexadecimal');
/** git-check-ref-format(1), and no braces but those of `{version}`. */
const Tag = z
  .string()
  .min(1, 'expected the name of a tag, such as lamp-{version}')
  .max(200)
  .refine(
    (tag) => !/[\s~^:?*[\\{}\p{Cc}]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock$|\/\./u.test(tag.replaceAll('{version}', '1')),
    'expected the name of a tag, such as lamp-{version}',
  );
const Directory = z
  .string()
  .max(512)
  .refine(
    (path) => path === '.' || path.split('/').every((segment) => !/^\.{0,2}$|[\p{Cc}\\]/u.test(segment)),
    'expected a folder below the root, such as packages/lamp, or . for the root itself',
  )
  .transform((path) => (path === '.' ? '' : path));
const Value = z
  .string({ error: 'expected text: put numbers, true and false in quotes' })
  .max(4096)
  .refine((text) => !/\0/.test(text), 'expected text without NUL');
const Environment = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'expected the name of a variable, such as NODE_OPTIONS'), Value)
  .refine((variables) => Object.keys(variables).length <= MAX_VARIABLES, `expected at most ${MAX_VARIABLES} variables`);
const Source = strict({
  repository: Repository.optional(),
  commit: Commit.optional(),
  tag: Tag.optional(),
  directory: Directory.optional(),
}).refine(({ commit, tag }) => commit === undefined || tag === undefined, 'expected commit or tag, not both');
const Release = strict({
  /** As after the @ of `granary watch request`: `^5`, `1.2.3`; or `vers:npm/>=1|<2`. Default: all. */
  versions: z.string().max(1024).regex(/[\d*]/, 'expected versions or a range, such as ^5').optional(),
  source: Source.prefault({}),
  build: strict({ environment: Environment.default({}), requirements: z.array(z.string().min(1).max(200)).max(MAX_REQUIREMENTS).default([]) }).prefault({}),
}).refine(({ versions, source }) => versions !== undefined || source.commit === undefined, {
  path: ['source', 'commit'],
  message: 'a commit is that of one release: say which under versions',
});
/** What one file says of a package: of a release the first entry counts whose versions it is of. */
export const DefinitionFile = strict({
  releases: z.array(Release, { error: 'expected a list, each with versions:, source: or build:' }).min(1, 'expected at least one').max(MAX_RELEASES),
});
export type DefinitionFile = z.output<typeof DefinitionFile>;

/**
 * Reads a definition that an operator wrote: strictly, and without anchors, aliases and tags. `file` is for messages. Throws ConfigError, which names file, line and what was
 * expected.
 */
export function parseDefinitionFile(bytes: Uint8Array, file: string): ParsedYaml<DefinitionFile> {
  if (bytes.length > MAX_DEFINITION_FILE_BYTES) throw new ConfigError(`${file}: ${bytes.length} bytes, at most ${MAX_DEFINITION_FILE_BYTES} are read`);
  const text = textOf(bytes, file);
  refuseTricks(text, file);
  return parseYaml(text, file, DefinitionFile);
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigError(`${file}: not UTF-8`, { cause });
  }
}

/** Before anything is built of it: the lexer keeps no tree, and follows no depth. */
function refuseTricks(text: string, file: string): void {
  let [open, brackets, line, indicators, isAtStart] = [0, 0, 1, 0, true];
  const refuse = (what: string) => new ConfigError(`${file}:${line}: ${what}`);
  for (const token of new Lexer().lex(text)) {
    if (/^[&*]./.test(token)) throw refuse('anchors and aliases are not taken: write it out');
    if (/^!./.test(token)) throw refuse('tags are not taken');
    if (token === '[' || token === '{') [open, brackets] = [open + 1, brackets + 1];
    if (token === ']' || token === '}') open = Math.max(0, open - 1);
    if (/^[-?:]$/.test(token)) indicators += 1;
    const isIndented = isAtStart && /^ +$/.test(token) && token.length > MAX_DEPTH;
    if (token.includes('\n')) [line, indicators] = [line + (token.split('\n').length - 1), 0];
    isAtStart = token.endsWith('\n');
    if (brackets > MAX_BRACKETS) throw refuse(`more than ${MAX_BRACKETS} brackets; write releases on lines of their own`);
    if (open > MAX_DEPTH || indicators > MAX_DEPTH || isIndented) throw refuse('nested deeper than anything that a definition says');
  }
}
