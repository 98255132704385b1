import type { PackageDocument, PackageIndex, UpstreamArtifact } from '@granary/contract/ecosystem';
import type { Evidence, Purl, Sha256 } from '@granary/core/model';
import { artifactPurl, nameOf, parseFileName } from './names.ts';
import { parseSimplePage, type SimpleFile } from './schema.ts';

/** The simple repository API (PEP 503, 691, 700, 714, 740, 792). */
export const pypiIndex: PackageIndex = {
  accept: 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1',
  maxDocumentBytes: 64 * 2 ** 20,
  documentUrl: (base, purl) => new URL(`${nameOf(purl)}/`, base.endsWith('/') ? base : `${base}/`).href,
  parse: (bytes, source) => toDocument(source.package, parseSimplePage(bytes, source.url, source.contentType).files),
};

function toDocument(purl: Purl, files: readonly SimpleFile[]): PackageDocument {
  const artifacts: UpstreamArtifact[] = [];
  const refused: { fileName: string; why: string }[] = [];
  const seen = new Set<string>();
  for (const file of files) {
    const artifact = seen.has(file.fileName) ? 'listed twice' : toArtifact(purl, file);
    seen.add(file.fileName);
    if (typeof artifact === 'string') refused.push({ fileName: file.fileName.slice(0, 200), why: artifact });
    else artifacts.push(artifact);
  }
  return { package: purl, artifacts, refused };
}

function toArtifact(purl: Purl, file: SimpleFile): UpstreamArtifact | string {
  const distribution = parseFileName(nameOf(purl), file.fileName);
  if (distribution === undefined) return 'not a file name of this project';
  const { sha256 } = file.digests;
  if (sha256 === undefined) return 'no sha256 in the index';
  if (file.url === '') return 'no usable address';
  return {
    purl: artifactPurl(nameOf(purl), distribution.version, file.fileName),
    fileName: file.fileName,
    path: mirrorPath(file.url, sha256, file.fileName),
    url: file.url,
    digests: file.digests,
    yanked: file.yanked,
    evidence: evidenceOf(file),
    companions: file.provenance === undefined ? [] : [{ name: 'provenance', url: file.provenance, accept: 'application/vnd.pypi.integrity.v1+json' }],
    ...(file.sizeBytes === undefined ? {} : { sizeBytes: file.sizeBytes }),
    ...(file.uploadTime === undefined ? {} : { publishedAt: file.uploadTime }),
  };
}

/** The digests are checked before anything is stored; signatures and provenance need roots of trust that the index doesn't bring. */
function evidenceOf(file: SimpleFile): readonly Evidence[] {
  const digests = Object.keys(file.digests).map((algorithm): Evidence => ({ check: `index-${algorithm}`, state: 'checked' }));
  const provenance: Evidence =
    file.provenance === undefined
      ? { check: 'pep740-provenance', state: 'absent' }
      : { check: 'pep740-provenance', state: 'unchecked', why: 'no trusted root for its issuer is configured' };
  const signature: Evidence =
    file.signature === 'offered'
      ? { check: 'openpgp', state: 'unchecked', why: 'the index names no key to check it by' }
      : { check: 'openpgp', state: 'absent' };
  return [...digests, provenance, signature];
}

/** Upstream's own path where it has the usual form, so that addresses in locks differ by their host only; otherwise one made from the digest. */
function mirrorPath(url: string, digest: Sha256, fileName: string): string {
  const path = new URL(url).pathname.replace(/^\/+/, '');
  if (/^packages\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{60}\/[^/]+$/.test(path) && path.endsWith(`/${fileName}`)) return path;
  return `packages/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4)}/${fileName}`;
}
