import type { BuildStep } from '@granary/contract/ecosystem';
import type { Cause, FailureClass, Rung, Sha256, SourceFinding, SourceTier, Verdict } from '@granary/core/model';
import { RUNGS, SOURCE_TIERS, verdictOf } from '@granary/core/model';

/** What is known of an artifact when it is judged. */
export interface CaseFile {
  /** Of artifacts that nobody can look for the source of: why. */
  readonly ineligible?: FailureClass;
  /** Of what was located last. */
  readonly tier?: SourceTier;
  /** A repository was looked into. */
  readonly isLookedFor?: boolean;
  readonly findings?: readonly SourceFinding[];
  readonly steps: readonly BuildStep[];
  /** Cause that stands for the residue of the best comparison. */
  readonly residueCause?: Cause;
}
export interface Decision {
  readonly verdict: Verdict;
  readonly rung?: Rung;
  readonly tier?: SourceTier;
  readonly failureClass?: FailureClass;
  readonly cause?: Cause;
  readonly findings?: readonly SourceFinding[];
  readonly definition?: Sha256;
  readonly rebuilt?: Sha256;
  readonly comparison?: Sha256;
  readonly attempts: number;
}

/** From a case to its verdict. Pure; the words are DESIGN's. */
export function decide(file: CaseFile): Decision {
  const attempts = file.steps.filter(({ rebuilt }) => rebuilt !== undefined).length;
  if (file.ineligible !== undefined) return { verdict: 'unsupported', failureClass: file.ineligible, attempts };
  const said = { attempts, ...(file.findings === undefined || file.findings.length === 0 ? {} : { findings: file.findings }) };
  const best = bestStep(file.steps);
  if (file.tier === undefined && best === undefined)
    return { verdict: 'source-not-found', failureClass: file.isLookedFor === true ? 'commit-not-found' : 'no-source', ...said };
  // A verdict stands on the source that the best attempt was made from.
  const tier = best?.plan.source?.tier ?? file.tier;
  const standing = { ...said, ...(tier === undefined ? {} : { tier }) };
  if (best?.compared === undefined || isUnbuilt(best, file.steps)) return { verdict: 'failed-to-build', failureClass: failureOf(file.steps), ...standing };
  const { rung, comparison, definition } = best.compared.body;
  const common = { ...standing, definition, comparison, ...(best.rebuilt?.body.status === 'built' ? { rebuilt: best.rebuilt.body.sha256 } : {}) };
  if (rung !== 'none') return { verdict: verdictOf(rung), rung, ...common };
  const cause: Cause = isNondeterministic(best) ? 'nondeterministic' : (file.residueCause ?? 'content-unexplained');
  return { verdict: 'not-reproduced', cause, ...common };
}

/**
 * The highest rung; among those where none holds, what was built before what was only looked at, which can't say what a packer would have written; then the smallest residue; of
 * equals the one from the better source, a commit before an archive that its publisher made, and then the earliest.
 */
export function bestStep(steps: readonly BuildStep[]): BuildStep | undefined {
  const rank = ({ compared }: BuildStep) => (compared === undefined || compared.body.rung === 'none' ? RUNGS.length : RUNGS.indexOf(compared.body.rung));
  const tier = ({ plan }: BuildStep) => SOURCE_TIERS.indexOf(plan.source?.tier ?? 'publisher-archive');
  return steps
    .filter(({ compared }) => compared !== undefined)
    .toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        Number(a.rebuilt === undefined) - Number(b.rebuilt === undefined) ||
        (a.compared?.body.residue ?? 0) - (b.compared?.body.residue ?? 0) ||
        tier(a) - tier(b),
    )[0];
}

/**
 * What stands in no commit may be what a build makes: where a build failed, and no other brought a file more than stands in the commit, what is lacking is the failure's, and says nothing
 * against the package, nor for it. That tools of another day can't build it says nothing at all.
 */
export function isUnbuilt(best: BuildStep, steps: readonly BuildStep[]): boolean {
  if (best.compared?.body.rung !== 'none') return false;
  const lacking = best.compared.body.residue;
  const isBare = best.rebuilt === undefined || steps.some(({ rebuilt, compared }) => rebuilt === undefined && compared?.body.residue === lacking);
  const usual = steps.filter(({ plan }) => plan.proposal?.retry !== true);
  return isBare && usual.some(({ plan, rebuilt }) => plan.result.type === 'unresolvable' || (rebuilt !== undefined && rebuilt.body.status !== 'built'));
}

function isNondeterministic({ rebuilt, again }: BuildStep): boolean {
  return rebuilt?.body.status === 'built' && again?.body.status === 'built' && rebuilt.body.sha256 !== again.body.sha256;
}

/** The last thing that went wrong says most: earlier attempts were mended by later ones. Not what tools of another day came to. */
function failureOf(steps: readonly BuildStep[]): FailureClass {
  const exhausted = steps.at(-1)?.plan.result;
  if (exhausted?.type === 'exhausted' && exhausted.failureClass !== undefined) return exhausted.failureClass;
  for (const { plan, rebuilt } of steps.toReversed()) {
    if (plan.proposal?.retry === true) continue;
    if (rebuilt?.body.status === 'failed') return rebuilt.body.failureClass;
    if (rebuilt?.body.status === 'needs') return 'dependency-unavailable';
    if (plan.result.type === 'unresolvable') return plan.result.why === 'conflict' ? 'dependency-conflict' : 'dependency-unavailable';
  }
  return 'build-failed';
}
