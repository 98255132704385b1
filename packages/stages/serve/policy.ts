import {
  type Instant,
  type Purl,
  packageOf,
  parseInstant,
  refusingFinding,
  releaseOf,
  SOURCE_TIERS,
  type SourceFinding,
  type SourceTier,
  toInstant,
  type Verdict,
} from '@granary/core/model';
import type { HeldFile } from './holding.ts';

/** What `verified` demands. Every refusal names what was missing. */
export interface Policy {
  /** `report` shows everything, and says what it would have refused. */
  readonly mode: 'enforce' | 'report';
  readonly verdicts: readonly Verdict[];
  readonly tiers: readonly SourceTier[];
  /** Findings that are put up with: others that are relevant to security refuse a file that reproduces, too. */
  readonly findings: readonly SourceFinding[];
  /** Cooldown: younger files are not shown. */
  readonly minAgeDays?: number;
  /** Exceptions for a package, a release or a file, each with somebody who answers for it until it expires. */
  readonly waivers: readonly { readonly purl: string; readonly owner: string; readonly reason: string; readonly expires: string }[];
}

export type PolicyAnswer =
  | { readonly met: true; readonly until?: Instant }
  /** `until`: when the answer may change without a new fact. */
  | { readonly met: false; readonly why: string; readonly until?: Instant };

const DAY_MS = 86_400_000;

/** Pure: the same file, policy and time give the same answer. */
export function meets(file: HeldFile, policy: Policy, now: Instant): PolicyAnswer {
  for (const waiver of policy.waivers) {
    const expiry = covers(waiver.purl, file.purl) ? expiryOf(waiver.expires) : undefined;
    if (expiry !== undefined && now < expiry) return { met: true, until: expiry };
  }
  const why = verdictProblem(file, policy);
  if (why !== undefined) return { met: false, why };
  const oldEnough = policy.minAgeDays === undefined ? undefined : Date.parse(file.publishedAt ?? file.storedAt) + policy.minAgeDays * DAY_MS;
  if (oldEnough !== undefined && Date.parse(now) < oldEnough) {
    return { met: false, why: `younger than ${policy.minAgeDays} days`, until: toInstant(oldEnough) };
  }
  return { met: true };
}

function verdictProblem({ verdict }: HeldFile, policy: Policy): string | undefined {
  if (verdict === undefined) return 'no verdict yet';
  const detail = verdict.failureClass ?? verdict.cause;
  if (!policy.verdicts.includes(verdict.verdict)) return `${verdict.verdict}${detail === undefined ? '' : ` (${detail})`}`;
  const finding = refusingFinding(verdict.findings, policy.findings);
  if (finding !== undefined) return finding;
  const demandsTier = SOURCE_TIERS.some((tier) => !policy.tiers.includes(tier));
  if (demandsTier && (verdict.tier === undefined || !policy.tiers.includes(verdict.tier))) return `source tier ${verdict.tier ?? 'unknown'}`;
  return undefined;
}

function covers(waived: string, purl: Purl): boolean {
  return waived === purl || waived === releaseOf(purl) || waived === packageOf(purl);
}

/** A date alone ends with its day. An expiry that can't be read has passed. */
function expiryOf(text: string): Instant | undefined {
  return parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59.999Z` : text);
}
