import type { PackageIndex, UpstreamArtifact } from '@granary/contract/ecosystem';
import type { Purl } from '@granary/core/model';
import { MAX_GO_MOD_BYTES, MAX_ZIP_BYTES } from './dirhash.ts';
import { artifactPath, artifactPurl, escapeCase, FILE_KINDS, fileNameOf, pathOf } from './names.ts';
import { parseList } from './schema.ts';
import { isVersion } from './versions.ts';

/** As the tool has it for modules (golang.org/x/mod/zip), and more than anybody says of a version. */
const MAX_BYTES = { info: 2 ** 20, mod: MAX_GO_MOD_BYTES, zip: MAX_ZIP_BYTES };

/** The GOPROXY protocol. A list says which versions there are, and nothing of their bytes: the checksum database does. */
export const golangIndex: PackageIndex = {
  accept: 'text/plain, */*;q=0.1',
  maxDocumentBytes: 16 * 2 ** 20,
  documentUrl: (base, purl) => addressOf(base, `${escapeCase(pathOf(purl))}/@v/list`),
  /** Proxies list what somebody asked them for, and by the protocol no pseudo-versions: whatever there is can be had. */
  unlisted: (base, purl, version) => (isVersion(version) ? filesOf(base, purl, version) : undefined),
  parse(bytes, source) {
    const { versions, others } = parseList(bytes, source.url);
    const base = source.url.slice(0, source.url.lastIndexOf(`${escapeCase(pathOf(source.package))}/@v/`));
    return {
      package: source.package,
      artifacts: versions.flatMap((version) => filesOf(base, source.package, version)),
      refused: others.map((line) => ({ fileName: line.slice(0, 200), why: 'not a version' })),
    };
  },
};

export function addressOf(base: string, path: string): string {
  return URL.parse(path, base.endsWith('/') ? base : `${base}/`)?.href ?? path;
}

function filesOf(base: string, purl: Purl, version: string): readonly UpstreamArtifact[] {
  const module = pathOf(purl);
  return FILE_KINDS.map((kind) => {
    const path = artifactPath(module, version, kind);
    return {
      purl: artifactPurl(module, version, kind),
      fileName: fileNameOf(version, kind),
      path,
      url: addressOf(base, path),
      maxBytes: MAX_BYTES[kind],
      digests: {},
      yanked: false,
      evidence: [],
      companions: [],
    };
  });
}
