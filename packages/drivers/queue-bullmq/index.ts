export { type BullQueueOptions, openBullQueue } from './open-bull-queue.ts';
export { type QueueCode, QueueError } from './queue-error.ts';
