export { type MemoryQueueOptions, openMemoryQueue } from './open-memory-queue.ts';
export { DEFAULT_RETRY_TIMES } from './retry-plan.ts';
export { systemClock } from './system-clock.ts';
