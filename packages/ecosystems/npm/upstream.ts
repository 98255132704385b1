import { EcosystemError, type PackageDocument, type PackageIndex, type ReleaseDocuments, type UpstreamArtifact } from '@granary/contract/ecosystem';
import type { Evidence, Instant, Purl } from '@granary/core/model';
import { statedDigests } from './integrity.ts';
import { artifactPurl, isTarballName, isVersion, nameOf, usualFileName } from './names.ts';
import { type Packument, parsePackument, publishedAt } from './packument.ts';
import { Dist, parseObject, type RawManifest } from './schema.ts';

/** Packages of browsers and native tools come to a few hundred megabytes. */
const MAX_TARBALL_BYTES = 2 ** 30;
/** Some list thousands of files or people; whoever says more is looked up in the package's document. */
const MAX_MANIFEST_BYTES = 256 * 1024;

/** The full document of a package, not the abbreviated one: only it has the time of every version. */
export const npmIndex: PackageIndex = {
  accept: 'application/json',
  maxDocumentBytes: 64 * 2 ** 20,
  documentUrl: (base, purl) => new URL(encodedName(nameOf(purl)), base.endsWith('/') ? base : `${base}/`).href,
  usual: usualFile,
  release: {
    accept: 'application/json',
    maxBytes: MAX_MANIFEST_BYTES,
    url(base, purl, path) {
      const version = usualVersion(purl, path);
      return version === undefined ? undefined : `${npmIndex.documentUrl(base, purl)}/${version}`;
    },
    parse: readRelease,
  },
  parse: (bytes, { url, package: purl }) => {
    const packument = parsePackument(bytes, url);
    if (packument.name !== nameOf(purl)) throw new EcosystemError('malformed', `packument ${url}: it is about ${JSON.stringify(packument.name.slice(0, 200))}`);
    return toDocument(purl, packument, url);
  },
};

/** Registries take the slash of a scoped name encoded, as npm sends it. */
function encodedName(name: string): string {
  return name.replace('/', '%2f');
}

/** Almost every tarball lies at its path in the registry, by the name that `npm pack` gives it. */
function usualFile(base: string, purl: Purl, path: string): ReturnType<NonNullable<PackageIndex['usual']>> {
  const version = usualVersion(purl, path);
  if (version === undefined) return undefined;
  const name = nameOf(purl);
  return { purl: artifactPurl(name, version, usualFileName(name, version)), url: new URL(path, base.endsWith('/') ? base : `${base}/`).href };
}

function usualVersion(purl: Purl, path: string): string | undefined {
  const name = nameOf(purl);
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  const version = fileName.slice(usualFileName(name, '').length - '.tgz'.length, -'.tgz'.length);
  return path === `${name}/-/${fileName}` && isVersion(version) && usualFileName(name, version) === fileName ? version : undefined;
}

/** The manifest that the registry answers for a name and a version: what it has of that version in the package's document. */
function readRelease(bytes: Uint8Array, { url, package: purl, path }: Parameters<ReleaseDocuments['parse']>[1]): UpstreamArtifact | undefined {
  const [name, version] = [nameOf(purl), usualVersion(purl, path)];
  const manifest = parseObject(bytes, `manifest ${url}`);
  if (version === undefined || manifest['name'] !== name || manifest['version'] !== version) return undefined;
  const artifact = toArtifact(manifest, { name, version, url: new URL('.', url).href.slice(0, -1) });
  return typeof artifact === 'object' && artifact.path === path ? artifact : undefined;
}

/** Hundreds of versions, of which mostly one is asked for: what each says of itself is read when somebody looks at it, and the text kept no longer than that. */
function toDocument(purl: Purl, packument: Packument, url: string): PackageDocument {
  type Versions = ReturnType<typeof readVersions>;
  let state: { readonly unread: Packument } | { readonly read: Versions } = { unread: packument };
  let last: UpstreamArtifact | undefined;
  const read = (): Versions => {
    if ('read' in state) return state.read;
    state = { read: readVersions(state.unread, url) };
    return state.read;
  };
  return {
    package: purl,
    get artifacts() {
      return read().artifacts;
    },
    get refused() {
      return read().refused;
    },
    fileAt(path) {
      // Who answers a client asks for it, and then who fetches the file.
      if (last?.path === path) return last;
      last = 'unread' in state ? namedAt(state.unread, path, url) : undefined;
      return last ?? read().artifacts.find((artifact) => artifact.path === path);
    },
  };
}

/** A tarball that several versions claim is that of the one it is named after, or else of the first. */
function readVersions(packument: Packument, url: string): Pick<PackageDocument, 'artifacts' | 'refused'> {
  const { usable, refused: unusable } = packument.readAll();
  const listed = [...usable].map(([version, manifest]) => ({ version, artifact: toArtifact(manifest, { ...releaseOf(packument, version), url }) }));
  const owners = new Map<string, { readonly version: string; readonly isNamedAfter: boolean }>();
  for (const { version, artifact } of listed) {
    if (typeof artifact === 'string') continue;
    const isNamedAfter = artifact.fileName === usualFileName(packument.name, version);
    const owner = owners.get(artifact.path);
    if (owner === undefined || (isNamedAfter && !owner.isNamedAfter)) owners.set(artifact.path, { version, isNamedAfter });
  }
  const artifacts: UpstreamArtifact[] = [];
  const refused = [...unusable].map(([version, why]) => ({ fileName: version.slice(0, 200), why }));
  for (const { version, artifact } of listed) {
    if (typeof artifact === 'string') refused.push({ fileName: version, why: artifact });
    else if (owners.get(artifact.path)?.version === version) artifacts.push(artifact);
    else refused.push({ fileName: version, why: 'its tarball is that of another version' });
  }
  return { artifacts, refused };
}

/** The file at a path, where a version is named after it: it is nobody else's then, and the others need not be read. */
function namedAt(packument: Packument, path: string, url: string): UpstreamArtifact | undefined {
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  for (const version of packument.versionNames) {
    if (usualFileName(packument.name, version) !== fileName) continue;
    const manifest = packument.manifest(version);
    const artifact = manifest === undefined ? undefined : toArtifact(manifest, { ...releaseOf(packument, version), url });
    if (typeof artifact === 'object' && artifact.path === path) return artifact;
  }
  return undefined;
}

interface Listed {
  readonly name: string;
  readonly version: string;
  readonly time?: Instant;
  /** Of the package's document. */
  readonly url: string;
}

function releaseOf(packument: Packument, version: string): Omit<Listed, 'url'> {
  const time = publishedAt(packument, version);
  return { name: packument.name, version, ...(time === undefined ? {} : { time }) };
}

/** Or why it can't be used. */
function toArtifact(manifest: RawManifest, { name, version, time, url }: Listed): UpstreamArtifact | string {
  const parsed = Dist.safeParse(manifest['dist']);
  if (!parsed.success) return 'no usable dist';
  const dist = parsed.data;
  const digests = statedDigests(dist.integrity ?? undefined, dist.shasum ?? undefined);
  if (digests === undefined) return 'several digests of one kind';
  if (Object.keys(digests).length === 0) return 'no digest in the index';
  const tarball = URL.parse(dist.tarball, url);
  // Addresses are read as if these were not there (WHATWG URL, 4.4).
  if (/[\t\n\r]/.test(dist.tarball) || tarball === null || (tarball.protocol !== 'https:' && tarball.protocol !== 'http:')) return 'no usable address';
  const fileName = fileNameOf(tarball, name) ?? usualFileName(name, version);
  return {
    purl: artifactPurl(name, version, fileName),
    fileName,
    path: `${name}/-/${fileName}`,
    url: tarball.href,
    maxBytes: MAX_TARBALL_BYTES,
    digests,
    yanked: false,
    evidence: evidenceOf(dist, Object.keys(digests)),
    companions: attestationsOf(dist, name, url),
    signatures: signaturesOf(dist, `${name}@${version}`),
    ...(time === undefined ? {} : { publishedAt: time }),
  };
}

/** Where it has the usual form: clients keep upstream's path in their locks and change only the host. */
function fileNameOf(tarball: URL, name: string): string | undefined {
  const path = tarball.pathname.replace(/%2f/gi, '/').replace(/%40/g, '@');
  const prefix = `/${name}/-/`;
  const at = path.lastIndexOf(prefix);
  const fileName = path.slice(at + prefix.length);
  return at !== -1 && isTarballName(fileName) ? fileName : undefined;
}

/** The digests are checked before anything is stored, registry signatures by `check`; provenance needs roots of trust that the index doesn't bring. */
function evidenceOf({ attestations }: Dist, algorithms: readonly string[]): readonly Evidence[] {
  return [
    ...algorithms.map((algorithm): Evidence => ({ check: `index-${algorithm}`, state: 'checked' })),
    attestations
      ? { check: 'npm-attestations', state: 'unchecked', why: 'no trusted root for their issuer is configured' }
      : { check: 'npm-attestations', state: 'absent' },
  ];
}

/** npm takes the path of the address and asks its own registry for it: so do we, whoever made the document. */
function attestationsOf({ attestations }: Dist, name: string, url: string): UpstreamArtifact['companions'] {
  const stated = attestations ? URL.parse(attestations.url, url) : null;
  if (stated === null || (stated.protocol !== 'https:' && stated.protocol !== 'http:')) return [];
  const { origin, pathname } = new URL(url);
  const base = pathname.slice(0, -encodedName(name).length);
  const isPackumentOf = pathname.toLowerCase().endsWith(`/${encodedName(name)}`.toLowerCase());
  const address = isPackumentOf ? new URL(`${base}${stated.pathname.replace(/^\/+/, '')}`, origin) : stated;
  return [{ name: 'attestations', url: address.href, accept: 'application/json' }];
}

/** The registry signs the release together with its integrity, as it stands there (npm: about registry signatures). */
function signaturesOf({ signatures, integrity }: Dist, release: string): NonNullable<UpstreamArtifact['signatures']> {
  if (!signatures || !integrity) return [];
  return signatures.map(({ keyid, sig }) => ({ message: `${release}:${integrity}`, keyId: keyid, signature: sig }));
}
