import type { Normalizer, NormalizerRef } from '../normalize/index.ts';
import { differencesOf } from './ladder.ts';
import { normalizeSide, type Side } from './side.ts';

/**
 * The smallest set of rules that removes what all of them together remove, found by leaving out one after the
 * other. Leaving out each alone would not do: of two rules that both remove a difference, neither would count.
 */
export function neededNormalizers(upstream: Side, rebuild: Side, normalizers: readonly Normalizer[]): readonly NormalizerRef[] {
  const leftOut = new Set<Normalizer>(normalizers.filter((normalizer) => !hasEffect(normalizer, upstream) && !hasEffect(normalizer, rebuild)));
  const remaining = (): string => differencesOf({ upstream: normalizeSide(upstream, leftOut), rebuild: normalizeSide(rebuild, leftOut) }).join('\n');
  const goal = remaining();
  for (const normalizer of normalizers) {
    if (leftOut.has(normalizer)) continue;
    leftOut.add(normalizer);
    if (remaining() !== goal) leftOut.delete(normalizer);
  }
  return normalizers.filter((normalizer) => !leftOut.has(normalizer)).map(({ ref }) => ref);
}

/** Whether a rule changes anything when its turn comes. */
function hasEffect(normalizer: Normalizer, { original, normalizers }: Side): boolean {
  const turn = normalizers.indexOf(normalizer);
  if (turn === -1) return false;
  const before = normalizers.slice(0, turn).reduce((archive, earlier) => earlier.apply(archive), original);
  return normalizer.apply(before) !== before;
}
