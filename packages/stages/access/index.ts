export { openReaderPublisher } from './publish-readers.ts';
export { openPublishedReaders, type PublishedReaders } from './published-readers.ts';
export { addReader, type ReaderChange, readersIn, readersOfCatalog, removeReader } from './registered-readers.ts';
