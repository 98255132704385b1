export { type ArchiveSource, mainArchive, parseAptSources, type SourcesFile } from './apt-sources.ts';
export { type DebCode, DebError } from './deb-error.ts';
export { type MirroredRootfs, type MirrorRootfsPorts, mirrorRootfs, type PackageResolver, type RootfsWish } from './mirror-rootfs.ts';
export { debPurl, fileName } from './names.ts';
export { type ListedPackage, readPackagesIndex } from './packages-index.ts';
export { parseRelease, type ReleaseFile } from './release-file.ts';
export { type Keyring, openSignedRelease, type SignedText } from './signed-release.ts';
