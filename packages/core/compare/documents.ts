import { contentOf } from '../archive/index.ts';
import { type Cause, type Sha256, sha256 } from '../model/index.ts';
import type { NormalizerRef } from '../normalize/index.ts';
import { rulesetDigest } from './compare-artifacts.ts';
import type { Comparison, Difference } from './comparison.ts';
import { filesDigest } from './ladder.ts';
import { contentCause, describeContent } from './residue.ts';
import type { DifferingFile } from './rules.ts';

/** A named rule for a file that is no archive. A pure function of its bytes. */
export interface DocumentNormalizer {
  readonly ref: NormalizerRef;
  /** Undefined for what it can't read: then nothing but the same bytes is the same. */
  apply(document: Uint8Array): Uint8Array | undefined;
}
export interface DocumentRequest {
  /** Under which name differences are told. */
  readonly fileName: string;
  readonly upstream: Uint8Array;
  /** Undefined where none can be made. */
  readonly rebuild: Uint8Array | undefined;
  /** Applied in this order. */
  readonly normalizers: readonly DocumentNormalizer[];
  /** Why two that differ may do so; undefined leaves it to the comparison. */
  readonly causeOf?: (file: DifferingFile) => Cause | undefined;
}

/** Compares a published file that is no archive with what it was made to be: `identical`, `equivalent` by rules that all had to be applied, or `none`. */
export function compareDocuments({ fileName, upstream, rebuild, normalizers, causeOf }: DocumentRequest): Comparison {
  const digests = { upstream: sha256(upstream), rebuild: sha256(rebuild ?? new Uint8Array()), ruleset: rulesetDigest(normalizers) };
  const same = { ...digests, residue: [], residueOmitted: 0, findings: [] };
  if (rebuild === undefined) return { ...digests, rung: 'none', needed: [], ...left(noneMade(fileName, upstream)) };
  if (digests.upstream === digests.rebuild) return { ...same, rung: 'identical', needed: [] };
  const normalized = normalizedBoth(upstream, rebuild, normalizers);
  if (normalized !== undefined)
    return { ...same, rung: 'equivalent', needed: neededOf(upstream, rebuild, normalizers), normalizedSha256: documentDigest(fileName, normalized) };
  return { ...digests, rung: 'none', needed: [], ...left(differing({ path: fileName, upstream, rebuild }, causeOf)) };
}

/** What both sides come to; undefined where that differs, or a side can't be read. */
function normalizedBoth(upstream: Uint8Array, rebuild: Uint8Array, normalizers: readonly DocumentNormalizer[]): Uint8Array | undefined {
  const [theirs, ours] = [upstream, rebuild].map((bytes) =>
    normalizers.reduce<Uint8Array | undefined>((document, { apply }) => (document === undefined ? undefined : apply(document)), bytes),
  );
  return theirs !== undefined && ours !== undefined && Buffer.compare(theirs, ours) === 0 ? theirs : undefined;
}

/** Leaving out one after the other, as for archives. */
function neededOf(upstream: Uint8Array, rebuild: Uint8Array, normalizers: readonly DocumentNormalizer[]): readonly NormalizerRef[] {
  const needed = normalizers.reduce<readonly DocumentNormalizer[]>((kept, normalizer) => {
    const others = kept.filter((other) => other !== normalizer);
    return normalizedBoth(upstream, rebuild, others) === undefined ? kept : others;
  }, normalizers);
  return needed.map(({ ref }) => ref);
}

/** As of an archive that has this file alone. */
function documentDigest(path: string, bytes: Uint8Array): Sha256 {
  return filesDigest({ entries: [{ path, type: 'file', mode: 0, content: contentOf(bytes) }] });
}

function left(difference: Difference): Pick<Comparison, 'residue' | 'residueOmitted' | 'findings'> {
  return { residue: [difference], residueOmitted: 0, findings: [] };
}

function noneMade(path: string, upstream: Uint8Array): Difference {
  return { path, kind: 'only-upstream', cause: 'extra-upstream-files', detail: `${upstream.length} bytes; the source gives no such file` };
}

function differing(file: DifferingFile, causeOf: DocumentRequest['causeOf']): Difference {
  return { path: file.path, kind: 'content', cause: causeOf?.(file) ?? contentCause(file), ...describeContent(file) };
}
