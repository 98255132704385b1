import type { BlobStore, RootfsRecipe, Upstream } from '@granary/contract/ports';
import type { Evidence, PinnedArtifact, Sha256 } from '@granary/core/model';
import type { ArchiveSource } from './apt-sources.ts';
import { DebError } from './deb-error.ts';
import { debPurl, fileName } from './names.ts';
import { type ListedPackage, readPackagesIndex } from './packages-index.ts';
import { parseRelease, type ReleaseFile } from './release-file.ts';
import { type Keyring, openSignedRelease } from './signed-release.ts';
import { indexUrl, packagesPath, packageUrl, releaseUrl } from './upstream.ts';

const COMPONENT = 'main';
const MAX_RELEASE_BYTES = 8 * 2 ** 20;
const MAX_INDEX_BYTES = 128 * 2 ** 20;
const MAX_PACKAGE_BYTES = 512 * 2 ** 20;
/** The upstream keeps its own budget; more would only hold blobs open. */
const PACKAGES_AT_ONCE = 4;
/** Says that /usr is merged, without which the tool that merges it would be chosen, and a whole Perl with it. */
const ALWAYS = ['usr-is-merged'];

/** Chooses exact packages: everything essential, what is asked for, and what those need. A well-kept resolver; it reads stored blobs only. */
export interface PackageResolver {
  /** Throws when there is no choice. */
  choose(request: {
    readonly suite: string;
    readonly component: string;
    readonly architecture: string;
    readonly include: readonly string[];
    readonly release: Sha256;
    readonly packagesIndex: { readonly path: string; readonly sha256: Sha256 };
  }): Promise<readonly { readonly name: string; readonly version: string }[]>;
}

export interface MirrorRootfsPorts {
  readonly upstream: Upstream;
  readonly blobs: BlobStore;
  readonly resolver: PackageResolver;
}
export interface RootfsWish {
  readonly source: ArchiveSource;
  /** What the archive's signature is checked by. */
  readonly keyrings: readonly Keyring[];
  /** Debian's name: `amd64`. */
  readonly architecture: string;
  readonly include: readonly string[];
  /** Stored blobs to be placed into it. */
  readonly files: RootfsRecipe['files'];
  readonly signal?: AbortSignal;
}
export interface MirroredRootfs {
  readonly recipe: RootfsRecipe;
  /** Every package of the closure, stored, with what it was checked by. */
  readonly artifacts: readonly { readonly artifact: PinnedArtifact; readonly evidence: readonly Evidence[] }[];
}

/**
 * Stores everything that a root filesystem is made of, each piece checked along the chain that starts at the archive's signature.
 * What is stored already is not fetched again. Throws DebError, UpstreamError or StoreError.
 */
export async function mirrorRootfs(ports: MirrorRootfsPorts, wish: RootfsWish): Promise<MirroredRootfs> {
  const { source, architecture } = wish;
  const { release, sha256, evidence } = await mirrorRelease(ports, wish);
  const path = packagesPath(COMPONENT, architecture);
  const index = await mirrorIndex(ports, wish, { release, path });
  const packagesIndex = { path, sha256: index };
  const include = [...new Set([...ALWAYS, ...wish.include])].sort();
  const chosen = await ports.resolver.choose({ suite: release.codename, component: COMPONENT, architecture, include, release: sha256, packagesIndex });
  const listed = await readIndex(ports.blobs, index, chosen);
  await inParallel(listed, (entry) => mirrorPackage(ports, wish, entry));
  const recipe: RootfsRecipe = {
    format: 1,
    suite: release.codename,
    architecture,
    include,
    packagesIndex,
    release: { sha256, signedAt: release.signedAt },
    packages: listed.map(({ name, version, path: poolPath, sha256: digest }) => ({ name, version, path: poolPath, sha256: digest })),
    files: [...wish.files].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const artifacts = listed.map((entry) => ({
    artifact: {
      purl: debPurl(entry, release.origin),
      fileName: fileName(entry),
      sha256: entry.sha256,
      digests: { sha256: entry.sha256 },
      sizeBytes: entry.sizeBytes,
      path: entry.path,
    },
    evidence,
  }));
  if (listed.length === 0) throw new DebError('unresolvable', `root filesystem of ${source.suite}: no package was chosen`);
  return { recipe, artifacts };
}

async function mirrorRelease({ upstream, blobs }: MirrorRootfsPorts, { source, keyrings, architecture, signal }: RootfsWish) {
  const url = releaseUrl(source);
  const response = await upstream.open({ url, maxBytes: MAX_RELEASE_BYTES, ...(signal === undefined ? {} : { signal }) });
  if (response.status !== 'ok') throw new DebError('not-found', `get ${url}: there is none`);
  const parts: Uint8Array[] = [];
  for await (const part of response.body) parts.push(part);
  const bytes = new Uint8Array(Buffer.concat(parts));
  const { text, signedBy } = await openSignedRelease(bytes, keyrings, response.at);
  const release = parseRelease(text);
  refuseOther(release, source, architecture);
  if (release.validUntil !== undefined && release.validUntil < response.at)
    throw new DebError('expired', `${url}: its signature was valid until ${release.validUntil}`);
  const { sha256 } = await blobs.put(bytes, { maxBytes: MAX_RELEASE_BYTES });
  const evidence: readonly Evidence[] = [
    { check: 'openpgp-inrelease', state: 'checked', by: signedBy.join(' ') },
    { check: 'inrelease-sha256', state: 'checked' },
    { check: 'packages-sha256', state: 'checked' },
  ];
  return { release, sha256, evidence };
}

/** A signature says that the archive made this file, not that it is the one asked for: another suite's would be as well signed. */
function refuseOther(release: ReleaseFile, { url, suite }: ArchiveSource, architecture: string): void {
  if (suite !== release.codename && suite !== release.suite)
    throw new DebError('wrong-archive', `${url} ${suite}: its signed index is of ${release.suite} (${release.codename})`);
  if (!release.components.includes(COMPONENT)) throw new DebError('wrong-archive', `${url} ${suite}: it has no component ${COMPONENT}`);
  if (!release.architectures.includes(architecture)) throw new DebError('wrong-archive', `${url} ${suite}: it has no ${architecture}`);
}

async function mirrorIndex(
  { upstream, blobs }: MirrorRootfsPorts,
  { source, signal }: RootfsWish,
  { release, path }: { readonly release: ReleaseFile; readonly path: string },
): Promise<Sha256> {
  const listed = release.files.get(path);
  if (listed === undefined) throw new DebError('not-listed', `${source.url} ${source.suite}: its signed index lists no ${path}`);
  if ((await blobs.size(listed.sha256)) !== undefined) return listed.sha256;
  const url = indexUrl(source, release, path);
  const response = await upstream.open({ url, maxBytes: Math.min(listed.sizeBytes, MAX_INDEX_BYTES), ...(signal === undefined ? {} : { signal }) });
  if (response.status !== 'ok') throw new DebError('not-found', `get ${url}: there is none`);
  await blobs.put(response.body, { digests: { sha256: listed.sha256 }, sizeBytes: listed.sizeBytes, maxBytes: MAX_INDEX_BYTES });
  return listed.sha256;
}

async function readIndex(
  blobs: BlobStore,
  index: Sha256,
  chosen: readonly { readonly name: string; readonly version: string }[],
): Promise<readonly ListedPackage[]> {
  const gzip = await blobs.read(index, MAX_INDEX_BYTES);
  if (gzip === undefined) throw new DebError('not-found', `read Packages index ${index}: not in the store`);
  const entries = readPackagesIndex(gzip, new Set(chosen.map(({ name }) => name)));
  const listed = chosen.map(({ name, version }) => {
    const entry = entries.find((candidate) => candidate.name === name && candidate.version === version);
    if (entry === undefined) throw new DebError('not-listed', `Packages index: ${name} ${version}, which was chosen from it, isn't in it`);
    return entry;
  });
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function mirrorPackage(
  { upstream, blobs }: MirrorRootfsPorts,
  { source, signal }: RootfsWish,
  { path, sha256, sizeBytes }: ListedPackage,
): Promise<void> {
  if ((await blobs.size(sha256)) !== undefined) return;
  const url = packageUrl(source, path);
  const response = await upstream.open({ url, maxBytes: Math.min(sizeBytes, MAX_PACKAGE_BYTES), ...(signal === undefined ? {} : { signal }) });
  if (response.status !== 'ok') throw new DebError('not-found', `get ${url}: there is none, though the signed index lists it`);
  await blobs.put(response.body, { digests: { sha256 }, sizeBytes, maxBytes: MAX_PACKAGE_BYTES });
}

async function inParallel<T>(values: readonly T[], act: (value: T) => Promise<void>): Promise<void> {
  const left = [...values];
  const work = async (): Promise<void> => {
    for (let value = left.shift(); value !== undefined; value = left.shift()) await act(value);
  };
  await Promise.all(Array.from({ length: PACKAGES_AT_ONCE }, work));
}
