import {
  type BuildMethod,
  type BuildProposal,
  type Definition,
  decodeWritten,
  encodeWritten,
  isLocatedBy,
  type Parameter,
  type WrittenDefinition,
  type WrittenEntry,
  writtenInput,
} from '@granary/contract/ecosystem';
import type { BlobStore, CatalogFact } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { storedBytes } from './stored-bytes.ts';

/** What an operator wrote down of a release, by the digest under which it is kept. */
export interface Written {
  readonly definition: WrittenDefinition;
  readonly record: Sha256;
}

/** Once something else is written, or nothing any more, what was found before is no longer what is found now, though all else is the same. */
export function writtenInputs(before: CatalogFact | undefined, written: WrittenEntry | undefined): readonly string[] {
  const isNew = before !== undefined && !isLocatedBy(before, written);
  return [...(written === undefined ? [] : [writtenInput(written)]), ...(isNew ? [before.key] : [])];
}

/** Is what is looked at other than what was looked at before, or by another entry? */
export function isLocatedAnew(
  before: CatalogFact,
  { lookedAt, written }: { readonly lookedAt: readonly string[]; readonly written: WrittenEntry | undefined },
): boolean {
  const inputs: readonly string[] = 'inputs' in before.entry ? before.entry.inputs : [];
  return !isLocatedBy(before, written) || lookedAt.some((input) => !inputs.includes(input));
}

/** For whoever plans by it, and for whoever wants to know what it said. */
export async function keepWritten(blobs: BlobStore, { definition, file }: WrittenEntry): Promise<void> {
  const record = encodeWritten(definition);
  await blobs.put(record, { maxBytes: record.length });
  await blobs.put(file, { maxBytes: file.length });
}

/** As it was when the source was located: whoever plans reads no configuration. */
export async function readWritten(blobs: BlobStore, record: Sha256): Promise<Written> {
  return { definition: decodeWritten(await storedBytes(blobs, record)), record };
}

/** What is to be had beside what the strategy asks for. */
export function withWritten(proposal: BuildProposal, written: Written | undefined): BuildProposal {
  const more = proposal.method === 'source-files' ? [] : (written?.definition.requirements ?? []);
  return more.length === 0 ? proposal : { ...proposal, requirements: [...new Set([...proposal.requirements, ...more])] };
}

/** In every phase, above what the strategy says. */
export function withEnvironment<T extends Pick<Definition, 'phases'>>(compiled: T, written: Written | undefined): T {
  if (written === undefined) return compiled;
  const { environment } = written.definition;
  return { ...compiled, phases: compiled.phases.map((phase) => ({ ...phase, env: { ...phase.env, ...environment } })) };
}

export function basisOf({ definition: { file, fileSha256 }, record }: Written): NonNullable<Definition['basis']> {
  return { file, sha256: fileSha256, record };
}

interface WrittenFor {
  readonly method: BuildMethod | undefined;
  /** Its source is a commit. */
  readonly isOfCommit: boolean;
}

/** Stands in the definition, and from there in what is signed. */
export function writtenParameters({ definition }: Written, { method, isOfCommit }: WrittenFor): readonly Parameter[] {
  const { file, fileSha256, repository, commit, tag, directory, environment, requirements } = definition;
  const from = `what the operator wrote, ${file} sha256:${fileSha256}`;
  // Of an archive they say nothing.
  const stated = Object.entries(isOfCommit ? { repository, commit, tag, directory } : {}).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: `source ${name}`, value, from }],
  );
  if (method === 'source-files') return stated.length === 0 ? [{ name: 'definition', value: file, from }] : stated;
  return [
    { name: 'definition', value: file, from },
    ...stated,
    ...Object.entries(environment).map(([name, value]) => ({ name: `variable ${name}`, value, from })),
    ...(requirements.length === 0 ? [] : [{ name: 'requirements', value: requirements.join(', '), from }]),
  ];
}
