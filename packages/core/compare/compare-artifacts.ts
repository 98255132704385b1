import { ArchiveError, type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, openArchive } from '../archive/index.ts';
import { canonicalJson, type Sha256, sha256 } from '../model/index.ts';
import type { Normalizer } from '../normalize/index.ts';
import type { Comparison, Finding } from './comparison.ts';
import { mergeFindings, unruledMetadata } from './findings.ts';
import { filesDigest, isSameContent } from './ladder.ts';
import { neededNormalizers } from './needed.ts';
import { openSide, readThrough } from './open-through.ts';
import { type ArchivePair, shareContents } from './pairing.ts';
import { residueOf } from './residue.ts';
import type { ArtifactRules } from './rules.ts';
import { inspectSide, isRefused, normalizeSide, type Side } from './side.ts';

export interface CompareRequest {
  readonly upstream: Uint8Array;
  readonly rebuild: Uint8Array;
  readonly rules: ArtifactRules;
  readonly limits?: ArchiveLimits;
}

/** Climbs the ladder and stops at the first rung that holds. The same input gives the same Comparison, byte for byte. Throws CompareError when the two differ and a side cannot be read. */
export async function compareArtifacts(request: CompareRequest): Promise<Comparison> {
  const { rules, limits = DEFAULT_ARCHIVE_LIMITS } = request;
  const digests = { upstream: sha256(request.upstream), rebuild: sha256(request.rebuild), ruleset: rulesetDigest(rules.normalizers) };
  if (digests.upstream === digests.rebuild) {
    return { ...digests, rung: 'identical', needed: [], residue: [], residueOmitted: 0, findings: await findingsOfBoth(request.upstream, rules, limits) };
  }
  const read = shareContents({
    upstream: await openSide('upstream', request.upstream, { format: rules.format, limits }),
    rebuild: await openSide('rebuild', request.rebuild, { format: rules.format, limits }),
  });
  await readThrough('upstream', read.upstream);
  await readThrough('rebuild', read.rebuild);
  return { ...digests, ...climb(read, rules) };
}

/** Digest of the ordered list of rule names and versions. */
export function rulesetDigest(normalizers: readonly Pick<Normalizer, 'ref'>[]): Sha256 {
  return sha256(canonicalJson(normalizers.map(({ ref }) => [ref.name, ref.version])));
}

type Climbed = Omit<Comparison, 'upstream' | 'rebuild' | 'ruleset'>;

function climb(read: ArchivePair, rules: ArtifactRules): Climbed {
  const normalizers = rules.normalizers.filter((normalizer) => normalizer.appliesTo(read.upstream));
  const upstream = inspectSide(read.upstream, normalizers);
  const rebuild = inspectSide(read.rebuild, normalizers);
  const findings = mergeFindings(upstream.findings, rebuild.findings);
  const normalized = { upstream: normalizeSide(upstream), rebuild: normalizeSide(rebuild) };
  const same = { normalizedSha256: filesDigest(normalized.upstream), residue: [], residueOmitted: 0 };
  if (![...upstream.findings, ...rebuild.findings].some(isRefused)) {
    if (isSameContent(read)) return { ...same, rung: 'identical-content', needed: [], findings };
    const rung = filesDigest(read.upstream) === filesDigest(read.rebuild) ? 'identical-files' : 'equivalent';
    if (rung === 'identical-files' || isEquivalent(upstream, rebuild, normalized)) {
      return { ...same, rung, needed: neededNormalizers(upstream, rebuild, normalizers), findings: [...findings, ...unruledMetadata(normalized)] };
    }
  }
  return { rung: 'none', needed: [], ...residueOf(normalized, { upstream, rebuild }, rules), findings };
}

function isEquivalent(upstream: Side, rebuild: Side, normalized: ArchivePair): boolean {
  return !upstream.isWrong && !rebuild.isWrong && filesDigest(normalized.upstream) === filesDigest(normalized.rebuild);
}

/** Bytes that are identical are so whatever they hold; what a reader must know of them is said all the same. */
async function findingsOfBoth(bytes: Uint8Array, { format, normalizers }: ArtifactRules, limits: ArchiveLimits): Promise<readonly Finding[]> {
  try {
    const archive = await openArchive(bytes, format, limits);
    const { findings } = inspectSide(
      archive,
      normalizers.filter((normalizer) => normalizer.appliesTo(archive)),
    );
    return mergeFindings(findings, findings);
  } catch (cause) {
    if (!(cause instanceof ArchiveError)) throw cause;
    return [{ code: 'unreadable-archive', side: 'both', detail: cause.message }];
  }
}
