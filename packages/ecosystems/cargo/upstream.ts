import { EcosystemError, type FileAddresses, type PackageDocument, type PackageIndex, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { type Purl, purlParts, type Sha256 } from '@granary/core/model';
import { artifactPurl, crateFileName, cratePath, indexPath, indexPrefix, nameOf } from './names.ts';
import { type IndexLine, parseIndexFile, readDownloads } from './schema.ts';

/** Where crates lie: `dl` of the index's `config.json`. */
const crateAddresses: FileAddresses = {
  documentUrl: (base) => new URL('config.json', slashed(base)).href,
  maxDocumentBytes: 64 * 1024,
  addressOf(artifact, document) {
    const dl = readDownloads(document);
    const address = URL.parse(fillIn(dl, artifact));
    if (address?.protocol !== 'https:' && address?.protocol !== 'http:') {
      throw new EcosystemError('malformed', `config.json of the index: "dl" is no address: ${dl.slice(0, 200)}`);
    }
    return address.href;
  },
};

/** Registries take a few tens of megabytes; operators of their own may allow more. */
const MAX_CRATE_BYTES = 512 * 2 ** 20;

/** The sparse index (the Cargo book, index format). */
export const cargoIndex: PackageIndex = {
  accept: 'text/plain, */*;q=0.5',
  maxDocumentBytes: 64 * 2 ** 20,
  documentUrl: (base, purl) => new URL(indexPath(nameOf(purl)), slashed(base)).href,
  files: crateAddresses,
  parse: (bytes, { url, package: purl }) => toDocument(purl, url, bytes),
};

function toDocument(purl: Purl, url: string, bytes: Uint8Array): PackageDocument {
  const { lines, refused } = parseIndexFile(bytes, url);
  const isOwn = ({ name }: IndexLine) => name.toLowerCase() === nameOf(purl);
  return {
    package: purl,
    artifacts: lines.filter(isOwn).map((line) => toArtifact(line, url)),
    refused: [
      ...refused,
      ...lines.filter((line) => !isOwn(line)).map(({ name, version }) => ({ fileName: crateFileName(name, version), why: 'of another crate' })),
    ],
  };
}

function toArtifact({ name, version, sha256, yanked, publishedAt }: IndexLine, url: string): UpstreamArtifact {
  return {
    purl: artifactPurl(name, version),
    fileName: crateFileName(name, version),
    path: cratePath(name, version),
    digests: { sha256 },
    url,
    maxBytes: MAX_CRATE_BYTES,
    yanked,
    evidence: [{ check: 'index-sha256', state: 'checked' }],
    companions: [],
    ...(publishedAt === undefined ? {} : { publishedAt }),
  };
}

/** The markers of `dl`; where there is none, cargo's own suffix is meant. */
function fillIn(dl: string, { purl, fileName, digests }: UpstreamArtifact): string {
  const { version = '' } = purlParts(purl);
  const name = fileName.slice(0, -`-${version}.crate`.length);
  const values = new Map<string, string | Sha256>([
    ['{crate}', name],
    ['{version}', version],
    ['{prefix}', indexPrefix(name)],
    ['{lowerprefix}', indexPrefix(name.toLowerCase())],
    ['{sha256-checksum}', digests.sha256 ?? ''],
  ]);
  const template = [...values.keys()].some((marker) => dl.includes(marker)) ? dl : `${dl}/{crate}/{version}/download`;
  return template.replace(/\{[a-z0-9-]+\}/g, (marker) => values.get(marker) ?? marker);
}

function slashed(base: string): string {
  return base.endsWith('/') ? base : `${base}/`;
}
