import type { CandidateFile, CandidateRules, PackageDocument, UpstreamArtifact } from '@granary/contract/ecosystem';
import { type Purl, purlParts } from '@granary/core/model';
import { nameOf, packagePurl, parseFileName } from './names.ts';
import { parseSimplePage, type SimpleFile } from './schema.ts';
import { pypiIndex } from './upstream.ts';

/** The simple API in JSON (PEP 691, 700, 714), with metadata for every file that can be installed. */
export const pypiCandidate: CandidateRules = {
  mediaType: 'application/vnd.pypi.simple.v1+json',
  packageOfPath(path): Purl | undefined {
    const name = /^simple\/([A-Za-z0-9][A-Za-z0-9._-]*)\/?$/.exec(path)?.[1];
    return name === undefined ? undefined : packagePurl(name);
  },
  files: candidateFiles,
  render(document, addressOf) {
    const parsed = pypiIndex.parse(document.bytes, document);
    const listed = new Map(parseSimplePage(document.bytes, document.url, document.contentType).files.map((file) => [file.fileName, file]));
    const files = candidateFiles(parsed).flatMap((file) => {
      const entry = listed.get(file.artifact.fileName);
      return entry === undefined ? [] : [toJson(file, entry, addressOf)];
    });
    return new TextEncoder().encode(
      JSON.stringify({ meta: { 'api-version': '1.1' }, name: nameOf(document.package), files, versions: [...new Set(parsed.artifacts.map(versionOf))] }),
    );
  },
};

/** Wheels and source archives as they are, and a stand-in wheel for each release that has no wheel. */
function candidateFiles(document: PackageDocument): readonly CandidateFile[] {
  const kindOf = (artifact: UpstreamArtifact) => parseFileName(nameOf(document.package), artifact.fileName)?.kind;
  const withWheel = new Set(document.artifacts.filter((artifact) => kindOf(artifact) === 'wheel').map(versionOf));
  return document.artifacts.flatMap((artifact): readonly CandidateFile[] => {
    const kind = kindOf(artifact);
    if (kind === 'legacy' || kind === undefined) return [];
    const published: CandidateFile = { artifact, origin: 'published' };
    return kind === 'sdist' && !withWheel.has(versionOf(artifact)) ? [published, { artifact, origin: 'stand-in' }] : [published];
  });
}

function toJson(file: CandidateFile, entry: SimpleFile, addressOf: (file: CandidateFile, fileName: string) => string): object {
  const standIn = file.origin === 'stand-in';
  const fileName = standIn ? standInName(file.artifact) : file.artifact.fileName;
  return {
    filename: fileName,
    url: addressOf(file, fileName),
    hashes: standIn ? {} : { sha256: file.artifact.digests.sha256 },
    'requires-python': entry.requiresPython ?? null,
    yanked: entry.yanked ? (entry.yankedReason ?? true) : false,
    ...(entry.sizeBytes === undefined || standIn ? {} : { size: entry.sizeBytes }),
    ...(entry.uploadTime === undefined ? {} : { 'upload-time': entry.uploadTime }),
    'core-metadata': fileName.endsWith('.whl'),
  };
}

/** PEP 427 name of the wheel that the archive would build. */
function standInName(artifact: UpstreamArtifact): string {
  return `${purlParts(artifact.purl).name.replaceAll('-', '_')}-${versionOf(artifact)}-py2.py3-none-any.whl`;
}

function versionOf(artifact: UpstreamArtifact): string {
  return purlParts(artifact.purl).version ?? '';
}
