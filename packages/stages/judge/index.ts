export { compareBuilt } from './compare-built.ts';
export { bestStep, type CaseFile, type Decision, decide } from './decide.ts';
export { giveVerdict } from './give-verdict.ts';
export type { JudgePorts } from './judge-ports.ts';
