import { type Declared, isSpdxExpression, spdxExpressionOf } from '@granary/contract/ecosystem';
import { ArchiveError, type ArchiveFormat, DEFAULT_ARCHIVE_LIMITS, openArchive } from '@granary/core/archive';
import type { Artifact } from '@granary/core/model';
import { sourceOf } from './source.ts';

const MAX_METADATA_BYTES = 4 * 2 ** 20;

/** What a distribution says of itself: `METADATA` of wheels (PEP 566), `PKG-INFO` of source archives. Untrusted: empty when it can't be read. */
export async function readDeclared(artifact: Artifact, bytes: Uint8Array): Promise<Declared> {
  const metadata = await readCoreMetadata(artifact.fileName, bytes);
  if (metadata === undefined) return {};
  const text = new TextDecoder().decode(metadata);
  const [licence, source] = [licenceOf(text), sourceOf(headers(text, 'Project-URL'), headers(text, 'Home-page')[0])];
  return {
    ...(source === undefined ? {} : { source }),
    ...(licence === undefined ? {} : { licence }),
    ...(artifact.fileName.endsWith('.whl') ? { metadata } : {}),
  };
}

/** The core metadata document of a wheel or source archive; undefined when there is none or the archive can't be read. */
async function readCoreMetadata(fileName: string, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const wanted = fileName.endsWith('.whl') ? /^[^/]+\.dist-info\/METADATA$/ : /^[^/]+\/PKG-INFO$/;
  const format = formatOf(fileName);
  if (format === undefined) return undefined;
  try {
    const archive = await openArchive(bytes, format, DEFAULT_ARCHIVE_LIMITS);
    const entry = archive.entries.find(({ path, type, content }) => type === 'file' && wanted.test(path) && content.sizeBytes <= MAX_METADATA_BYTES);
    return entry?.content.read();
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

export function formatOf(fileName: string): ArchiveFormat | undefined {
  if (/\.(whl|zip|egg)$/.test(fileName)) return 'zip';
  return /\.(tar\.gz|tgz)$/.test(fileName) ? 'tar.gz' : fileName.endsWith('.tar') ? 'tar' : undefined;
}

/** Values of a header of the metadata's first part (RFC 5322 form), in order. */
export function headers(metadata: string, name: string): readonly string[] {
  const [head = ''] = metadata.split(/\r?\n\r?\n/, 1);
  const unfolded = head.replace(/\r?\n[ \t]+/g, ' ');
  const prefix = `${name.toLowerCase()}:`;
  return unfolded.split(/\r?\n/).flatMap((line) => (line.toLowerCase().startsWith(prefix) ? [line.slice(prefix.length).trim()] : []));
}

/** PEP 639 first; then the old free text where it can be understood; then the classifiers that mean one licence. */
function licenceOf(metadata: string): string | undefined {
  const [expression] = headers(metadata, 'License-Expression');
  if (expression !== undefined && isSpdxExpression(expression)) return expression;
  const [text] = headers(metadata, 'License');
  const corrected = text === undefined ? undefined : spdxExpressionOf(text);
  if (corrected !== undefined) return corrected;
  const named = headers(metadata, 'Classifier').flatMap((classifier) => CLASSIFIERS[classifier] ?? []);
  return named.length === 1 ? named[0] : undefined;
}

/** Trove classifiers that name exactly one SPDX licence; `BSD License` and the like mean several and are left out. */
const CLASSIFIERS: Readonly<Record<string, string>> = {
  'License :: OSI Approved :: MIT License': 'MIT',
  'License :: OSI Approved :: MIT No Attribution License (MIT-0)': 'MIT-0',
  'License :: OSI Approved :: Apache Software License': 'Apache-2.0',
  'License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)': 'MPL-2.0',
  'License :: OSI Approved :: ISC License (ISCL)': 'ISC',
  'License :: OSI Approved :: Python Software Foundation License': 'PSF-2.0',
  'License :: OSI Approved :: The Unlicense (Unlicense)': 'Unlicense',
  'License :: OSI Approved :: GNU General Public License v3 (GPLv3)': 'GPL-3.0-only',
  'License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)': 'GPL-3.0-or-later',
  'License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)': 'LGPL-3.0-only',
  'License :: OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)': 'EUPL-1.2',
};
