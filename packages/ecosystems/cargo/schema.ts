import { EcosystemError } from '@granary/contract/ecosystem';
import { type Instant, parseInstant, parseSha256, type Sha256 } from '@granary/core/model';
import { z } from 'zod';
import { isCrateName, isVersion } from './names.ts';

/** One version in an index file: its line, and what we use of it. */
export interface IndexLine {
  /** As upstream wrote it. */
  readonly text: string;
  readonly name: string;
  readonly version: string;
  readonly sha256: Sha256;
  readonly yanked: boolean;
  readonly publishedAt?: Instant;
}
export interface IndexFile {
  readonly lines: readonly IndexLine[];
  /** Lines that can't be taken in. */
  readonly refused: readonly { readonly fileName: string; readonly why: string }[];
}

const MAX_LINES = 100_000;
const Line = z.object({
  name: z.string().max(64),
  vers: z.string().max(256),
  cksum: z.string(),
  yanked: z.boolean().nullish(),
  pubtime: z.string().nullish(),
});

/** Reads an index file, a JSON object per line (the Cargo book, index files). Throws EcosystemError `malformed` when no line of it is one. */
export function parseIndexFile(bytes: Uint8Array, url: string): IndexFile {
  const texts = new TextDecoder().decode(bytes).split('\n');
  if (texts.length > MAX_LINES) throw new EcosystemError('malformed', `index ${url}: more than ${MAX_LINES} lines`);
  const lines: IndexLine[] = [];
  const refused: { fileName: string; why: string }[] = [];
  const seen = new Set<string>();
  for (const [index, text] of texts.entries()) {
    if (text.trim() === '') continue;
    const line = readLine(text);
    if (typeof line === 'string') refused.push({ fileName: `line ${index + 1}`, why: line });
    else if (seen.has(line.version)) refused.push({ fileName: `line ${index + 1}`, why: `${line.version} is listed twice` });
    else lines.push(line);
    if (typeof line !== 'string') seen.add(line.version);
  }
  if (lines.length === 0) throw new EcosystemError('malformed', `index ${url}: not a line names a version${refused[0] ? `; ${refused[0].why}` : ''}`);
  return { lines, refused };
}

function readLine(text: string): IndexLine | string {
  const parsed = Line.safeParse(readJson(text));
  if (!parsed.success) return 'not what an index says of a version';
  const { name, vers, cksum, yanked, pubtime } = parsed.data;
  const sha256 = parseSha256(cksum.toLowerCase());
  const publishedAt = parseInstant(pubtime ?? '');
  if (!isCrateName(name)) return 'not the name of a crate';
  if (!isVersion(vers)) return 'not a semantic version';
  if (sha256 === undefined) return 'no sha256 in the index';
  return { text: text.replace(/\r$/, ''), name, version: vers, sha256, yanked: yanked ?? false, ...(publishedAt === undefined ? {} : { publishedAt }) };
}

const Names = z.array(z.string().max(256)).max(10_000);
const Dependency = z.object({
  name: z.string().max(64),
  req: z.string().max(1024),
  features: Names.default([]),
  optional: z.boolean().default(false),
  default_features: z.boolean().default(true),
  kind: z.string().nullish(),
  registry: z.string().nullish(),
  package: z.string().max(64).nullish(),
});
const Requirements = z.object({
  deps: z.array(Dependency).max(10_000).default([]),
  features: z.record(z.string(), Names).default({}),
  features2: z.record(z.string(), Names).nullish(),
});

/** A dependency of a version. */
export interface Dependency {
  /** As the version's own features call it. */
  readonly alias: string;
  readonly name: string;
  readonly requirement: string;
  readonly features: readonly string[];
  readonly defaultFeatures: boolean;
  readonly optional: boolean;
  /** Of another registry. */
  readonly elsewhere: boolean;
}
/** What a version needs to be built, for whatever platform. */
export interface Needs {
  readonly dependencies: readonly Dependency[];
  readonly features: ReadonlyMap<string, readonly string[]>;
}

/** Dependencies that only development needs are left out. Undefined when they can't be read. */
export function readNeeds(line: IndexLine): Needs | undefined {
  const parsed = Requirements.safeParse(readJson(line.text));
  if (!parsed.success) return undefined;
  const { deps, features, features2 } = parsed.data;
  return {
    dependencies: deps.filter(({ kind }) => kind !== 'dev').map(toDependency),
    features: new Map([...Object.entries(features), ...Object.entries(features2 ?? {})]),
  };
}

function toDependency({ name, req, features, optional, default_features, registry, package: renamed }: z.output<typeof Dependency>): Dependency {
  return {
    alias: name,
    name: renamed ?? name,
    requirement: req,
    features,
    defaultFeatures: default_features,
    optional,
    elsewhere: registry !== undefined && registry !== null,
  };
}

const SiteConfig = z.object({ dl: z.string().min(1).max(4096) });

/** `dl` of an index's `config.json`. Throws EcosystemError `malformed`. */
export function readDownloads(bytes: Uint8Array): string {
  const parsed = SiteConfig.safeParse(readJson(new TextDecoder().decode(bytes)));
  if (!parsed.success) throw new EcosystemError('malformed', 'config.json of the index: it has no "dl" that says where crates lie');
  return parsed.data.dl;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
