import { type Artifact, canonicalJson, type Json, type Purl, PurlShape, type Sha256, Sha256Shape } from '@granary/core/model';
import { z } from 'zod';
import type { CatalogFact } from '../ports/index.ts';

/** What an operator wrote down of how releases of a package are made: said before anything is inferred, and believed no more than what bears it out. */
export interface WrittenDefinition {
  /** The file, below the folder of definitions. */
  readonly file: string;
  /** Of its bytes. */
  readonly fileSha256: Sha256;
  /** No other is looked into. */
  readonly repository?: Purl;
  /** Id of a commit. */
  readonly commit?: string;
  /** Name of a tag, in which `{version}` stands for the release's. */
  readonly tag?: string;
  /** Of the package, below the repository's root, which is `''`. */
  readonly directory?: string;
  /** Put into the environment of every phase of a build. */
  readonly environment: Readonly<Record<string, string>>;
  /** What a build is given beside what it asks for, as the ecosystem writes requirements. */
  readonly requirements: readonly string[];
}
/** What is written of a release. */
export interface WrittenEntry {
  readonly definition: WrittenDefinition;
  /** Of {@link encodeWritten}: another one after any change of the file. */
  readonly sha256: Sha256;
  /** The whole file. */
  readonly file: Uint8Array;
}
export interface WrittenDefinitions {
  of(artifact: Pick<Artifact, 'purl'>): WrittenEntry | undefined;
}
/** What an ecosystem takes of definitions that operators write. */
export interface WrittenRules {
  /** Variables by which its own scripts are told what to do. */
  readonly ownVariables: ReadonlySet<string>;
  /** Undefined for what may be asked for, else what is expected. Left out where a build takes no requirements of its own. */
  requirementProblem?(text: string): string | undefined;
}

const Record = z
  .object({
    granary: z.literal(1),
    type: z.literal('written-definition'),
    file: z.string(),
    fileSha256: Sha256Shape,
    repository: PurlShape.optional(),
    commit: z.string().optional(),
    tag: z.string().optional(),
    directory: z.string().optional(),
    environment: z.record(z.string(), z.string()),
    requirements: z.array(z.string()),
  })
  .transform(
    ({ granary: _, type: __, repository, commit, tag, directory, ...rest }): WrittenDefinition => ({
      ...rest,
      ...(repository === undefined ? {} : { repository }),
      ...(commit === undefined ? {} : { commit }),
      ...(tag === undefined ? {} : { tag }),
      ...(directory === undefined ? {} : { directory }),
    }),
  );

export function encodeWritten(definition: WrittenDefinition): Uint8Array {
  const json: Json = JSON.parse(JSON.stringify({ granary: 1, type: 'written-definition', ...definition }));
  return new TextEncoder().encode(canonicalJson(json));
}

/** Throws ZodError on what {@link encodeWritten} didn't write. */
export function decodeWritten(bytes: Uint8Array): WrittenDefinition {
  return Record.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

/** The input of a `located` fact that says what was written when it was looked for. */
export function writtenInput({ sha256 }: Pick<WrittenEntry, 'sha256'>): string {
  return `${PREFIX}${sha256}`;
}
const PREFIX = 'written:';

/** Was it looked for by this entry, or by none where there is none? */
export function isLocatedBy({ entry }: Pick<CatalogFact, 'entry'>, written: Pick<WrittenEntry, 'sha256'> | undefined): boolean {
  const input = 'inputs' in entry ? entry.inputs.find((text) => text.startsWith(PREFIX)) : undefined;
  return input === (written === undefined ? undefined : writtenInput(written));
}
