import { z } from 'zod';
import type { SourceTier, Verdict } from '../model/index.ts';
import { BundleError } from './bundle-error.ts';
import type { Judged } from './judged.ts';
import { SUMMARY_TYPE, siteUri } from './names.ts';
import { IN_TOTO_TYPE, payloadDigest, type Statement } from './statement.ts';

/**
 * SLSA verification summary v1: did the published file meet the policy? Levels are ours (SLSA allows all names but `SLSA_…`):
 * we measured no SLSA level, so we state none. `timeVerified` is left out: it is optional, nobody vouches for a time here, and
 * with it the statement would not be a function of its input.
 */
export function summaryStatement(judged: Judged, inputs: readonly Statement[], origin: string): Statement {
  const { subject, verdict, sourceTier, policy } = judged;
  return {
    subject,
    predicateType: SUMMARY_TYPE,
    predicate: {
      verifier: { id: siteUri(origin) },
      resourceUri: subject.name,
      policy: { uri: policy.uri, digest: { sha256: policy.digest } },
      inputAttestations: inputs.map((input) => ({ name: input.predicateType, mediaType: IN_TOTO_TYPE, digest: { sha256: payloadDigest(input) } })),
      verificationResult: policy.met ? 'PASSED' : 'FAILED',
      // SLSA verification summary, verifiedLevels: "FAILED if policy verification failed".
      verifiedLevels: policy.met ? levels(verdict, sourceTier) : ['FAILED'],
    },
  };
}

function levels(verdict: Verdict, sourceTier: SourceTier | undefined): readonly string[] {
  return [`GRANARY_${constant(verdict)}`, ...(sourceTier === undefined ? [] : [`GRANARY_SOURCE_${constant(sourceTier)}`])];
}

function constant(word: string): string {
  return word.toUpperCase().replaceAll('-', '_');
}

/** What a signed summary says. */
export interface Summary {
  readonly result: 'PASSED' | 'FAILED';
  readonly levels: readonly string[];
  readonly policyUri: string;
}

const Predicate = z.object({
  verificationResult: z.enum(['PASSED', 'FAILED']),
  verifiedLevels: z.array(z.string()),
  policy: z.object({ uri: z.string() }),
});

/** Throws BundleError `bad-statement`. */
export function readSummary(statement: Statement): Summary {
  const parsed = Predicate.safeParse(statement.predicate);
  if (statement.predicateType !== SUMMARY_TYPE || !parsed.success) {
    throw new BundleError('bad-statement', `verification summary about ${statement.subject.name}: not of the form ${SUMMARY_TYPE}`, { cause: parsed.error });
  }
  return { result: parsed.data.verificationResult, levels: parsed.data.verifiedLevels, policyUri: parsed.data.policy.uri };
}
