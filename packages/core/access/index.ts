export { formatReaderList, MAX_READERS, parseReaderList, type ReaderList } from './reader-list.ts';
export { formatReaderToken, isTokenOf, parseReaderId, parseReaderToken, type ReaderId, type ShownToken, tokenOfAuthorization } from './reader-token.ts';
