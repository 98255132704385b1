export { groupCommit } from './group-commit.ts';
export { DEFAULT_RETRY_TIMES, type Failures, planRetry, type RetryPlan } from './retry-plan.ts';
export { type LimitedRun, type Limits, runLimited } from './run-limited.ts';
export { type TrackedWrites, trackWrites } from './track-writes.ts';
