import type { Config } from '@granary/config';
import type { JudgedPolicy } from '@granary/core/bundle';
import { canonicalJson, type Json, sha256, type VerdictBody } from '@granary/core/model';

/** What the site's `verified` policy says of a verdict: its verification summaries are signed for exactly this policy. */
export function policyOf(config: Config, origin: string): (verdict: VerdictBody) => JudgedPolicy {
  const { verdicts, tiers } = config.verified;
  const json: Json = { verdicts: [...verdicts].sort(), tiers: [...tiers].sort() };
  const digest = sha256(canonicalJson(json));
  return ({ verdict, tier }) => ({
    uri: `urn:granary:policy:${origin}:verified`,
    digest,
    met: verdicts.includes(verdict) && (tier === undefined || tiers.includes(tier)),
  });
}
