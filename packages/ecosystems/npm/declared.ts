import { type Declared, EcosystemError, spdxExpressionOf } from '@granary/contract/ecosystem';
import { ArchiveError, type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, openArchive } from '@granary/core/archive';
import type { Artifact } from '@granary/core/model';
import { asObject, parseObject, type RawManifest } from './schema.ts';
import { sourceOf } from './source.ts';

const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
/** A licence isn't worth more memory: larger packages say nothing. */
const LIMITS: ArchiveLimits = { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: 256 * 2 ** 20 };

/** What the package.json in a tarball says. Untrusted: empty when it can't be read. */
export async function readDeclared({ fileName }: Artifact, bytes: Uint8Array): Promise<Declared> {
  if (!fileName.endsWith('.tgz')) return {};
  const manifest = await readManifest(bytes);
  if (manifest === undefined) return {};
  const [licence, source] = [licenceOf(manifest), sourceOf(manifest)];
  return { ...(licence === undefined ? {} : { licence }), ...(source === undefined ? {} : { source }) };
}

/** Clients unpack without the first folder, whatever its name is. */
async function readManifest(bytes: Uint8Array): Promise<RawManifest | undefined> {
  try {
    const archive = await openArchive(bytes, 'tar.gz', LIMITS);
    const entry = archive.entries.findLast(
      ({ path, type, content }) => type === 'file' && /^[^/]+\/package\.json$/.test(path) && content.sizeBytes <= MAX_MANIFEST_BYTES,
    );
    return entry === undefined ? undefined : parseObject(await entry.content.read(), 'package.json');
  } catch (error) {
    if (error instanceof ArchiveError || error instanceof EcosystemError) return undefined;
    throw error;
  }
}

/** An SPDX expression today; an object or a list of them once. */
function licenceOf({ license, licenses }: RawManifest): string | undefined {
  const old = Array.isArray(licenses) && licenses.length === 1 ? licenses[0] : licenses;
  const [text] = [license, asObject(license)?.['type'], old, asObject(old)?.['type']].filter((value) => typeof value === 'string');
  return text === undefined ? undefined : spdxExpressionOf(text);
}
