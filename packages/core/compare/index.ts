export type { NormalizerRef } from '../normalize/index.ts';
export { type CompareRequest, compareArtifacts, rulesetDigest } from './compare-artifacts.ts';
export { type CompareCode, CompareError } from './compare-error.ts';
export type { Comparison, Difference, DifferenceKind, Finding } from './comparison.ts';
export { compareDocuments, type DocumentNormalizer, type DocumentRequest } from './documents.ts';
export { decodeComparison, encodeComparison } from './encode.ts';
export { explainComparison, mainCause } from './explain.ts';
export type { ArtifactRules, DifferingFile } from './rules.ts';
export { compareWithSource, type SourceFile, type SourceRequest, type SourceRules } from './source-files.ts';
