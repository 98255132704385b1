import { type DemandRules, EcosystemError, type PackageDocument, type UpstreamArtifact, type Wish } from '@granary/contract/ecosystem';
import { formatPurl, type Purl, parsePurl, purlParts, sha256 } from '@granary/core/model';
import type { DemandedEcosystem } from '../demand-ports.ts';

/** An ecosystem as small as demand needs one: `box.lock` is a list of `name@version`, a purl asks for one release. */
function tinyDemand(id = 'tiny'): DemandRules {
  return {
    wishOfPurl(text): Wish | undefined {
      if (!text.startsWith(`pkg:${id}/`)) return undefined;
      const purl = parsePurl(text);
      if (purl === undefined) throw new EcosystemError('bad-spec', `${text}: not a package URL`);
      const { name, version = '1' } = purlParts(purl);
      return { type: 'pins', label: text, pins: [{ name, version, digests: [] }] };
    },
    isLockfile: (fileName) => fileName.endsWith(`${id}.lock`),
    wishOfLockfile: (fileName, bytes) => ({
      type: 'pins',
      label: fileName,
      pins: new TextDecoder()
        .decode(bytes)
        .split('\n')
        .map((line) => ({ name: line.split('@')[0] ?? '', version: line.split('@')[1] ?? '', digests: [] })),
    }),
    packageOfPin: ({ name }) => formatPurl({ type: id, name }),
    pinOfPurl(purl) {
      const { name, version } = purlParts(purl);
      return version === undefined || name === 'other-registry' ? undefined : { name, version };
    },
  };
}

/** Releases that upstream has, by `name@version`, each one file of so many bytes; a size that is undefined is not stated. */
export function tinyUpstream(releases: Readonly<Record<string, number | undefined>>, id = 'tiny'): DemandedEcosystem {
  const ofPackage = (packagePurl: Purl): readonly UpstreamArtifact[] =>
    Object.entries(releases).flatMap(([release, sizeBytes]) => {
      const [name = '', version = ''] = release.split('@');
      if (formatPurl({ type: id, name }) !== packagePurl) return [];
      const fileName = `${name}-${version}.box`;
      const purl = formatPurl({ type: id, name, version, fileName });
      const size = sizeBytes === undefined ? {} : { sizeBytes };
      return [{ purl, fileName, digests: { sha256: sha256(fileName) }, path: fileName, url: '', yanked: false, evidence: [], companions: [], ...size }];
    });
  const unused = (): never => {
    throw new Error('demand asks no such thing');
  };
  return {
    ecosystem: {
      id,
      demand: tinyDemand(id),
      discovery: { argv: ['true'], parse: unused },
      index: { accept: '', maxDocumentBytes: 1, documentUrl: unused, parse: unused },
      declared: unused,
      views: { route: unused, mediaTypes: unused, renderPackage: unused, renderRoot: unused, clientHints: unused },
    },
    upstreamBase: 'http://upstream.example/',
    async current(packagePurl) {
      const artifacts = ofPackage(packagePurl);
      if (artifacts.length === 0) return undefined;
      const document: PackageDocument = { package: packagePurl, artifacts, refused: [] };
      const bytes = new TextEncoder().encode(artifacts.map(({ purl }) => purl).join('\n'));
      return { bytes, url: '', contentType: '', document, sha256: sha256(bytes) };
    },
    resolve: async () => ({ ok: false, why: 'unavailable', detail: 'nothing resolves here' }),
  };
}
