export { type BlobMeasure, measureBlob } from './measure-blob.ts';
