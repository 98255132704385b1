export {
  blobKey, checkpointKey, derivedKey, envelopeKey, FORMAT_KEY, isMutable, type ObjectKey, parseObjectKey, PENDING_PREFIX, pendingKey,
  stagingKey, stagingPrefix, tileKey,
} from './layout.ts';
