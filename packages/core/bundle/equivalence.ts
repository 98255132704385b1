import { z } from 'zod';
import type { Comparison } from '../compare/comparison.ts';
import {
  CAUSES,
  type Cause,
  FAILURE_CLASSES,
  type FailureClass,
  type Json,
  RUNGS,
  type Rung,
  type Sha256,
  SOURCE_FINDINGS,
  SOURCE_TIERS,
  type SourceFinding,
  type SourceTier,
  VERDICTS,
  type Verdict,
} from '../model/index.ts';
import { BundleError } from './bundle-error.ts';
import { defined } from './defined.ts';
import type { Judged } from './judged.ts';
import { EQUIVALENCE_TYPE } from './names.ts';
import { digestOf } from './provenance.ts';
import type { Statement } from './statement.ts';

/**
 * How the published file relates to what was rebuilt: the rung of the ladder with everything that it depended on, or why there is none.
 * Negative verdicts are stated in the same form, so that a reader has one place to look.
 */
export function equivalenceStatement(judged: Judged): Statement {
  const { subject, verdictKey, verdict, sourceTier, failureClass, cause, source, findings, rebuilt, compared } = judged;
  return {
    subject,
    predicateType: EQUIVALENCE_TYPE,
    predicate: defined({
      verdict,
      verdictKey,
      sourceTier,
      failureClass,
      cause,
      source: source?.gitCommit === undefined ? undefined : { uri: source.purl ?? source.url, digest: digestOf(source) },
      findings,
      rebuilt: rebuilt && { sha256: rebuilt.subject.sha256 },
      definition: rebuilt && { sha256: rebuilt.definition },
      parameters: rebuilt?.parameters,
      assists: rebuilt?.assists?.map(({ path, sha256 }) => ({ path, sha256 })),
      ...(compared === undefined ? {} : comparisonMembers(compared.comparison, compared.blob)),
    }),
  };
}

function comparisonMembers(comparison: Comparison, blob: Sha256): { readonly [name: string]: Json | undefined } {
  const { rung, ruleset, needed, normalizedSha256, residue, residueOmitted } = comparison;
  return {
    rung,
    ruleset: { sha256: ruleset },
    normalizers: needed.map(({ name, version, reason }) => ({ name, version, reason })),
    normalized: normalizedSha256 && { sha256: normalizedSha256 },
    residue: residue.length + residueOmitted,
    comparison: { sha256: blob },
  };
}

/** What a signed equivalence statement says, for those who report it. */
export interface Equivalence {
  readonly verdict: Verdict;
  readonly rung?: Rung | 'none';
  readonly sourceTier?: SourceTier;
  readonly failureClass?: FailureClass;
  readonly cause?: Cause;
  readonly findings?: readonly SourceFinding[];
  readonly residue?: number;
}

const Predicate = z.object({
  verdict: z.enum(VERDICTS),
  rung: z.enum([...RUNGS, 'none']).optional(),
  sourceTier: z.enum(SOURCE_TIERS).optional(),
  failureClass: z.enum(FAILURE_CLASSES).optional(),
  cause: z.enum(CAUSES).optional(),
  findings: z.array(z.enum(SOURCE_FINDINGS)).optional(),
  residue: z.int().nonnegative().optional(),
});

/** Throws BundleError `bad-statement` for a predicate that is not an equivalence of this version. */
export function readEquivalence(statement: Statement): Equivalence {
  const parsed = Predicate.safeParse(statement.predicate);
  if (statement.predicateType !== EQUIVALENCE_TYPE || !parsed.success) {
    throw new BundleError('bad-statement', `equivalence statement about ${statement.subject.name}: not of the form ${EQUIVALENCE_TYPE}`, {
      cause: parsed.error,
    });
  }
  const { verdict, rung, sourceTier, failureClass, cause, findings, residue } = parsed.data;
  return {
    verdict,
    ...(rung && { rung }),
    ...(sourceTier && { sourceTier }),
    ...(failureClass && { failureClass }),
    ...(cause && { cause }),
    ...(findings && { findings }),
    ...(residue !== undefined && { residue }),
  };
}
