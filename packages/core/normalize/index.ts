export type { Normalizer, NormalizerRef, Observation } from './normalizer.ts';
export { mapChanged, tarEntryRule, tarRule, withContents, zipEntryRule, zipRule } from './rule.ts';
export { tarNormalizers } from './tar-rules.ts';
export { zipNormalizers } from './zip-rules.ts';
