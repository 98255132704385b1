import type { BuildStep } from '@granary/contract/ecosystem';
import type { Cause, FailureClass, Rung, Sha256, SourceTier, Verdict } from '@granary/core/model';
import { RUNGS, verdictOf } from '@granary/core/model';

/** What is known of an artifact when it is judged. */
export interface CaseFile {
  /** Of artifacts that no strategy rebuilds: why. */
  readonly ineligible?: FailureClass;
  readonly tier?: SourceTier;
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
  readonly definition?: Sha256;
  readonly rebuilt?: Sha256;
  readonly comparison?: Sha256;
  readonly attempts: number;
}

/** From a case to its verdict. Pure; the words are DESIGN's. */
export function decide(file: CaseFile): Decision {
  const attempts = file.steps.filter(({ rebuilt }) => rebuilt !== undefined).length;
  if (file.ineligible !== undefined) return { verdict: 'unsupported', failureClass: file.ineligible, attempts };
  if (file.tier === undefined) return { verdict: 'source-not-found', failureClass: 'no-source', attempts };
  const best = bestStep(file.steps);
  if (best?.compared === undefined) return { verdict: 'failed-to-build', tier: file.tier, failureClass: failureOf(file.steps), attempts };
  const { rung, comparison, definition } = best.compared.body;
  const common = { tier: file.tier, definition, comparison, attempts, ...(best.rebuilt?.body.status === 'built' ? { rebuilt: best.rebuilt.body.sha256 } : {}) };
  if (rung !== 'none') return { verdict: verdictOf(rung), rung, ...common };
  const cause: Cause = isNondeterministic(best) ? 'nondeterministic' : (file.residueCause ?? 'content-unexplained');
  return { verdict: 'not-reproduced', cause, ...common };
}

/** The highest rung; among those where none holds, the smallest residue; the earliest of equals. */
export function bestStep(steps: readonly BuildStep[]): BuildStep | undefined {
  const rank = ({ compared }: BuildStep) => (compared === undefined || compared.body.rung === 'none' ? RUNGS.length : RUNGS.indexOf(compared.body.rung));
  return steps
    .filter(({ compared }) => compared !== undefined)
    .toSorted((a, b) => rank(a) - rank(b) || (a.compared?.body.residue ?? 0) - (b.compared?.body.residue ?? 0))[0];
}

function isNondeterministic({ rebuilt, again }: BuildStep): boolean {
  return rebuilt?.body.status === 'built' && again?.body.status === 'built' && rebuilt.body.sha256 !== again.body.sha256;
}

/** The last thing that went wrong says most: earlier attempts were mended by later ones. */
function failureOf(steps: readonly BuildStep[]): FailureClass {
  const exhausted = steps.at(-1)?.plan.result;
  if (exhausted?.type === 'exhausted' && exhausted.failureClass !== undefined) return exhausted.failureClass;
  for (const { plan, rebuilt } of steps.toReversed()) {
    if (rebuilt?.body.status === 'failed') return rebuilt.body.failureClass;
    if (rebuilt?.body.status === 'needs') return 'dependency-unavailable';
    if (plan.result.type === 'unresolvable') return plan.result.why === 'conflict' ? 'dependency-conflict' : 'dependency-unavailable';
  }
  return 'build-failed';
}
