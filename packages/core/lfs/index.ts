export { type AnsweredFile, encodeBatchAnswer, type FileAnswer, parseBatchAnswer } from './batch-answer.ts';
export { BATCH_FILES, type BatchRequest, encodeBatchRequest, LFS_MEDIA_TYPE, parseBatchRequest } from './batch-request.ts';
export { type LargeFile, MAX_POINTER_BYTES, MIN_POINTER_BYTES, parsePointer } from './pointer.ts';
