import type { Outside } from '@granary/contract/repository';
import { canonicalJson, type Fact, factJson, type Json, MAX_FACT_BYTES, type Purl, type Sha256, type StateFact } from '@granary/core/model';

/** How many large files aren't held, by WhyMissing. */
export type MissingFiles = Readonly<Record<string, number>>;
/** What `outside` of ObservedBody reads. */
export type OutsideBody = Readonly<Record<string, Json>>;

/** Who wrote it and when, and some to spare. */
const RESERVED_BYTES = 1024;
const MAX_NAMED_BYTES = 4096;
const MAX_NAMED = 100;

/** What an `observed` fact says of what lies outside, without the names of submodules. */
export function outsideBody({ notCovered, largeFiles }: Outside, document: Sha256 | undefined, missing: MissingFiles): OutsideBody {
  const bytes = largeFiles.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const isMissing = Object.keys(missing).length > 0;
  return {
    ...(document === undefined ? {} : { document }),
    ...(notCovered.length === 0 ? {} : { notCovered: notCovered.length }),
    // Pointers say any size: their sum may be one that no number holds.
    ...(largeFiles.length === 0
      ? {}
      : { largeFiles: { files: largeFiles.length, bytes: Math.min(bytes, Number.MAX_SAFE_INTEGER), ...(isMissing ? { missing: { ...missing } } : {}) } }),
  };
}

/** The fact, with the names of as many submodules' repositories as it has room for. */
export function withSubmodules(fact: StateFact, body: OutsideBody, { submodules }: Outside): StateFact {
  const repositories = [...new Set(submodules.map(({ repository }) => repository))];
  const withOutside = (outside: OutsideBody): StateFact => ({ ...fact, body: { ...fact.body, outside } });
  const rest = MAX_FACT_BYTES - RESERVED_BYTES - sizeOf(withOutside(body));
  const named = fitting(repositories, Math.min(rest, MAX_NAMED_BYTES));
  const leftOut = repositories.length - named.length;
  return withOutside({ ...body, ...(named.length === 0 ? {} : { submodules: [...named] }), ...(leftOut === 0 ? {} : { leftOut }) });
}

function fitting(repositories: readonly Purl[], maxBytes: number): readonly Purl[] {
  const named: Purl[] = [];
  let bytes = 0;
  for (const repository of repositories) {
    bytes += Buffer.byteLength(canonicalJson(repository)) + 1;
    if (bytes > maxBytes || named.length === MAX_NAMED) break;
    named.push(repository);
  }
  return named;
}

function sizeOf(fact: Fact): number {
  return Buffer.byteLength(canonicalJson(factJson(fact)));
}
