export type { Normalizer, NormalizerRef, Observation } from './normalizer.ts';
