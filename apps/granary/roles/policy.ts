import type { Config } from '@granary/config';
import type { JudgedPolicy } from '@granary/core/bundle';
import { canonicalJson, type Json, refusingFinding, type Sha256, sha256, type VerdictBody } from '@granary/core/model';

/** What the site's `verified` policy says of a verdict: its verification summaries are signed for exactly this policy. */
export function policyOf(config: Config, origin: string): (verdict: VerdictBody) => JudgedPolicy {
  const { verdicts, tiers, findings: tolerated } = config.verified;
  const digest = policyDigest(config);
  return ({ verdict, tier, findings }) => ({
    uri: `urn:granary:policy:${origin}:verified`,
    digest,
    met: verdicts.includes(verdict) && (tier === undefined || tiers.includes(tier)) && refusingFinding(findings, tolerated) === undefined,
  });
}

/** Of what a summary says was met; how long a file must have been there, and who waived what, is decided when it is served. */
export function policyDigest({ verified: { verdicts, tiers, findings } }: Pick<Config, 'verified'>): Sha256 {
  const json: Json = { verdicts: [...verdicts].sort(), tiers: [...tiers].sort(), ...(findings.length === 0 ? {} : { findings: [...findings].sort() }) };
  return sha256(canonicalJson(json));
}
