export type { Comparison, Difference, DifferenceKind, Finding, NormalizerRef } from './comparison.ts';
