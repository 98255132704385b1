export { type MemoryQueueOptions, openMemoryQueue } from './open-memory-queue.ts';
export { systemClock } from './system-clock.ts';
