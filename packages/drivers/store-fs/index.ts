export { type DataFolderLock, lockDataFolder } from './data-folder-lock.ts';
export { type FileOperations, nodeFileOperations, type WritableFile } from './file-operations.ts';
export { ARCHIVE_FORMAT, type ArchiveFormat, initArchive, readArchive } from './init-archive.ts';
export { type FsStoreOptions, openFsStore } from './open-fs-store.ts';
export { openSpool } from './open-spool.ts';
