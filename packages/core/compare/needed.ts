import type { Normalizer, NormalizerRef } from '../normalize/index.ts';
import { differencesOf } from './ladder.ts';
import { normalizeSide, type Side } from './side.ts';

/**
 * The smallest set of rules that removes what all of them together remove, found by leaving out one after the
 * other. Leaving out each alone would not do: of two rules that both remove a difference, neither would count.
 */
export function neededNormalizers(upstream: Side, rebuild: Side, normalizers: readonly Normalizer[]): readonly NormalizerRef[] {
  const effective = effectiveRules(upstream).union(effectiveRules(rebuild));
  const leftOut = new Set<Normalizer>(normalizers.filter((normalizer) => !effective.has(normalizer)));
  const remaining = (): string => JSON.stringify(differencesOf({ upstream: normalizeSide(upstream, leftOut), rebuild: normalizeSide(rebuild, leftOut) }));
  const goal = remaining();
  for (const normalizer of normalizers) {
    if (leftOut.has(normalizer)) continue;
    leftOut.add(normalizer);
    if (remaining() !== goal) leftOut.delete(normalizer);
  }
  return normalizers.filter((normalizer) => !leftOut.has(normalizer)).map(({ ref }) => ref);
}

/** The rules that change something when their turn comes. */
function effectiveRules({ original, normalizers }: Side): ReadonlySet<Normalizer> {
  const effective = new Set<Normalizer>();
  normalizers.reduce((archive, normalizer) => {
    const next = normalizer.apply(archive);
    if (next !== archive) effective.add(normalizer);
    return next;
  }, original);
  return effective;
}
