import { z } from 'zod';
import type { Json } from './canonical-json.ts';
import { type Digests, parseSha256, type Sha256 } from './digest.ts';
import { type Purl, parsePurl } from './purl.ts';
import { type Instant, parseInstant } from './time.ts';
import { CAUSES, FAILURE_CLASSES, RUNGS, SOURCE_EVIDENCES, SOURCE_FINDINGS, SOURCE_TIERS, VERDICTS } from './verdict.ts';

// What the bodies of facts hold, by kind. Entries may come from other sites and later versions: unknown members are passed over.

/** A digest as JSON holds it. */
export const Sha256Shape = z.string().transform((text, context): Sha256 => {
  const digest = parseSha256(text);
  if (digest !== undefined) return digest;
  context.addIssue({ code: 'custom', message: 'expected a sha256' });
  return z.NEVER;
});
/** A package URL as JSON holds it. */
export const PurlShape = z.string().transform((text, context): Purl => {
  const purl = parsePurl(text);
  if (purl !== undefined) return purl;
  context.addIssue({ code: 'custom', message: 'expected a package URL' });
  return z.NEVER;
});
const Time = z.string().transform((text, context): Instant => {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  context.addIssue({ code: 'custom', message: 'expected an RFC 3339 time' });
  return z.NEVER;
});
/** {@link Digests} as JSON holds them. */
export const DigestsShape = z
  .object({
    sha256: Sha256Shape.optional(),
    sha512: z.string().optional(),
    sha384: z.string().optional(),
    sha1: z.string().optional(),
    md5: z.string().optional(),
    h1: z.string().optional(),
  })
  .transform((digests): Digests => JSON.parse(JSON.stringify(digests)));
const Size = z.number().int().nonnegative();
const Evidence = z.discriminatedUnion('state', [
  z.object({ state: z.literal('checked'), check: z.string(), by: z.string().optional() }),
  z.object({ state: z.literal('absent'), check: z.string() }),
  z.object({ state: z.literal('unchecked'), check: z.string(), why: z.string() }),
]);
const Run = z.object({ durationMs: Size.optional(), log: Sha256Shape.optional(), etag: z.string().optional() });

/**
 * `watched`, about a specification as the operator wrote it. What is `requested` is not taken in until somebody accepts it: an operator by
 * `command`, or a `rule` of the configuration. `content` is the lockfile's own bytes; `files` narrows what is kept of each release, as globs.
 */
export const WatchedBody = z.object({
  state: z.enum(['active', 'removed', 'requested']),
  by: z.enum(['configuration', 'command', 'rule']),
  content: Sha256Shape.optional(),
  files: z.array(z.string()).optional(),
  /** A closure of more bytes is not taken in. */
  quotaBytes: Size.optional(),
});
/** `reader`, about an id made by chance: who may read where access is restricted, by the sha256 of a token that nobody keeps. `name` is the operator's. */
export const ReaderBody = z.object({ state: z.enum(['active', 'removed']), name: z.string(), token: Sha256Shape });
/** `wanted`, about a watched specification (its closure) or about an artifact (a plan to build it). `manifest` is a blob of the private store for `install`, of the public one for `build`. */
export const WantedBody = z.object({ role: z.enum(['install', 'build']), manifest: Sha256Shape, artifacts: Size });
const Outside = z.object({
  /** Lists all of it. Absent where there is nothing. */
  document: Sha256Shape.optional(),
  /** The repositories of submodules, those of `HEAD` first: as many as have room. */
  submodules: z.array(PurlShape).optional(),
  /** How many more stand in the document. */
  leftOut: Size.optional(),
  /** What can't be followed, such as submodules whose address leads to no repository. */
  notCovered: Size.optional(),
  /** Files of LFS; `missing` counts those that aren't held, by reason. */
  largeFiles: z.object({ files: Size, bytes: Size, missing: z.record(z.string(), Size).optional() }).optional(),
});
/** `observed`, about a package: upstream's index document as it was seen. */
export const ObservedBody = z.object({
  document: Sha256Shape,
  sizeBytes: Size,
  mediaType: z.string(),
  url: z.string(),
  /** So far only because a client asked for it: nobody watches the package, and nobody looks at it again unasked. */
  pulled: z.literal(true).optional(),
  /** Of a repository: how many refs were created, advanced, forced and so on since the document before. */
  events: z.record(z.string(), Size).optional(),
  /** Of a repository: what its trees name and its packs don't have, since its refs were first seen. Absent where nobody looked for that. */
  outside: Outside.optional(),
  run: Run.optional(),
});
/**
 * `vanished`, about an artifact, a package, or a ref of a repository: upstream stopped listing it, lists other bytes under its name, or lists it
 * again. Of a ref `from` and `to` are ids of git objects: it is `replaced` when what it names doesn't continue what it named.
 */
export const VanishedBody = z.object({
  state: z.enum(['gone', 'replaced', 'back']),
  document: Sha256Shape.optional(),
  replacement: DigestsShape.optional(),
  from: z.string().optional(),
  to: z.string().optional(),
});
/** `stored`, about an artifact. */
export const StoredBody = z.object({
  sha256: Sha256Shape,
  sizeBytes: Size,
  path: z.string(),
  publishedAt: Time.optional(),
  /** What upstream stated of the bytes, by other algorithms than ours. */
  digests: DigestsShape.optional(),
  evidence: z.array(Evidence),
  licence: z.string().optional(),
  /** Where it says that it was made from: a claim. `repository` is a package URL, `commit` the id of a git commit, `directory` below the repository's root. */
  source: z.object({ repository: z.string(), commit: z.string().optional(), directory: z.string().optional() }).optional(),
  /** What the service that built it signed of its source, where that was checked by roots of trust. `identity` is whose signature it is, `issuer` who vouches for that. */
  attested: z
    .object({
      repository: z.string(),
      commit: z.string(),
      ref: z.string().optional(),
      workflow: z.string().optional(),
      issuer: z.string(),
      identity: z.string(),
    })
    .optional(),
  metadata: Sha256Shape.optional(),
  companions: z.record(z.string(), Sha256Shape).optional(),
  /** Belongs to no release, but to the proofs of many, such as a tile of a checksum database: every view has it. */
  support: z.literal(true).optional(),
});
/**
 * `located`, about an artifact: what it can be rebuilt from. Where a repository was looked into, `snapshot` is the document of its refs, `report` a
 * blob that has every candidate with its evidence, and `findings` what they say against each other.
 */
export const LocatedBody = z.object({
  source: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('archive'), tier: z.enum(SOURCE_TIERS), purl: z.string(), sha256: Sha256Shape, written: Sha256Shape.optional() }),
      z.object({
        kind: z.literal('commit'),
        tier: z.enum(SOURCE_TIERS),
        repository: PurlShape,
        commit: z.string(),
        /** Of the package, below the repository's root; left out for the root itself. */
        directory: z.string().optional(),
        evidence: z.enum(SOURCE_EVIDENCES),
        /** The tag's full name. */
        ref: z.string().optional(),
        /** What an operator wrote down of it: a blob. */
        written: Sha256Shape.optional(),
      }),
    ])
    .optional(),
  snapshot: Sha256Shape.optional(),
  report: Sha256Shape.optional(),
  findings: z.array(z.enum(SOURCE_FINDINGS)).optional(),
});
/** `rebuilt`, about an artifact. */
export const RebuiltBody = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('built'),
    sha256: Sha256Shape,
    sizeBytes: Size,
    fileName: z.string(),
    exitCode: z.number().int(),
    fetched: Sha256Shape,
    run: Run.optional(),
  }),
  z.object({ status: z.literal('needs'), requirements: z.array(z.string()), fetched: Sha256Shape, run: Run.optional() }),
  z.object({ status: z.literal('failed'), failureClass: z.enum(FAILURE_CLASSES), detail: z.string(), fetched: Sha256Shape.optional(), run: Run.optional() }),
]);
/** `compared`, about an artifact. */
export const ComparedBody = z.object({ rung: z.enum([...RUNGS, 'none']), comparison: Sha256Shape, definition: Sha256Shape, residue: Size });
/** `verdict`, about an artifact. `sha256` is the published file's. */
export const VerdictBody = z.object({
  sha256: Sha256Shape,
  verdict: z.enum(VERDICTS),
  rung: z.enum(RUNGS).optional(),
  tier: z.enum(SOURCE_TIERS).optional(),
  failureClass: z.enum(FAILURE_CLASSES).optional(),
  cause: z.enum(CAUSES).optional(),
  /** What its sources say against each other. */
  findings: z.array(z.enum(SOURCE_FINDINGS)).optional(),
  definition: Sha256Shape.optional(),
  rebuilt: Sha256Shape.optional(),
  comparison: Sha256Shape.optional(),
  attempts: Size.optional(),
  run: Run.optional(),
});
/** `attested`, about an artifact. `leaf` is the hash of the Rekor-shaped leaf that stands right before the fact. */
export const AttestedBody = z.object({
  sha256: Sha256Shape.optional(),
  predicateType: z.string(),
  envelope: Sha256Shape,
  payload: Sha256Shape,
  leaf: z.string(),
  keyId: z.string(),
});
/**
 * `tried`, about a watched specification and one ecosystem of it: an install without any other network. `self-sufficient`: nothing that runs in
 * it turned to anybody else, and nothing failed. `report` is a blob of the private store.
 */
export const TriedBody = z.object({
  ecosystem: z.string(),
  status: z.enum(['self-sufficient', 'not-covered', 'not-tried']),
  report: Sha256Shape,
  run: Run.optional(),
});
/** `environment`, about an ecosystem's builds or installs on an architecture: what they run in. */
export const EnvironmentBody = z.object({
  recipe: Sha256Shape,
  rootfs: Sha256Shape,
  tools: z.record(z.string(), z.object({ version: z.string(), sha256: Sha256Shape })),
});

export type WatchedBody = z.output<typeof WatchedBody>;
export type ReaderBody = z.output<typeof ReaderBody>;
export type WantedBody = z.output<typeof WantedBody>;
export type ObservedBody = z.output<typeof ObservedBody>;
export type VanishedBody = z.output<typeof VanishedBody>;
export type StoredBody = z.output<typeof StoredBody>;
export type LocatedBody = z.output<typeof LocatedBody>;
export type RebuiltBody = z.output<typeof RebuiltBody>;
export type ComparedBody = z.output<typeof ComparedBody>;
export type VerdictBody = z.output<typeof VerdictBody>;
export type AttestedBody = z.output<typeof AttestedBody>;
export type TriedBody = z.output<typeof TriedBody>;
export type EnvironmentBody = z.output<typeof EnvironmentBody>;

/** A body as the fact holds it: members that are undefined are left out. */
export function factBody(body: object): { readonly [name: string]: Json } {
  return JSON.parse(JSON.stringify(body));
}
