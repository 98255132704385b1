import type { ArchiveSource } from './apt-sources.ts';
import type { ReleaseFile } from './release-file.ts';

/** The signed index of an archive: moves whenever the archive does. */
export function releaseUrl({ url, suite }: ArchiveSource): string {
  return `${url}dists/${suite}/InRelease`;
}

/** Where the index of one component's packages lies below the suite. gzip, because everybody can read it. */
export function packagesPath(component: string, architecture: string): string {
  return `${component}/binary-${architecture}/Packages.gz`;
}

/** Address of an index file: by its digest where the archive has that, so that it can't move between the signed index and this. */
export function indexUrl({ url, suite }: ArchiveSource, { hasByHash, files }: ReleaseFile, path: string): string {
  const digest = files.get(path)?.sha256;
  const folder = `${url}dists/${suite}/`;
  return hasByHash && digest !== undefined ? `${folder}${path.slice(0, path.lastIndexOf('/'))}/by-hash/SHA256/${digest}` : `${folder}${path}`;
}

/** Immutable: a package file never changes under its name. */
export function packageUrl({ url }: ArchiveSource, path: string): string {
  return url + path.split('/').map(encodeURIComponent).join('/');
}
