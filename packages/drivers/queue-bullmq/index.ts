export { countJobs, type JobCounts } from './count-jobs.ts';
export { type BullQueueOptions, openBullQueue } from './open-bull-queue.ts';
export { probeRedis, type RedisFindings, type RedisProblem } from './probe-redis.ts';
export { type QueueCode, QueueError } from './queue-error.ts';
export { readFailures } from './read-failures.ts';
