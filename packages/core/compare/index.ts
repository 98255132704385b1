export type { Comparison, Difference, DifferenceKind, Finding } from './comparison.ts';
export type { NormalizerRef } from '../normalize/index.ts';
export type { ArtifactRules, DifferingFile } from './rules.ts';
