import { EcosystemError, type PackageView, type ViewFile } from '@granary/contract/ecosystem';
import type { Sha256 } from '@granary/core/model';
import { crateFileName } from './names.ts';
import { type IndexLine, parseIndexFile } from './schema.ts';

/**
 * Upstream's own lines of the versions that the view shows, byte for byte, `yanked` as the document of the moment has it. Throws EcosystemError
 * `malformed` when a document doesn't list what the view takes from it.
 */
export function renderLines(view: PackageView): Uint8Array {
  const documents = new Map<Sha256, ReadonlyMap<string, IndexLine>>();
  for (const [digest, { bytes, url }] of view.documents) {
    documents.set(digest, new Map(parseIndexFile(bytes, url).lines.map((line) => [keyOf(crateFileName(line.name, line.version), line.sha256), line])));
  }
  const lines = view.files.map((file) => {
    const line = documents.get(file.document)?.get(keyOf(file.fileName, file.sha256));
    if (line === undefined) throw new EcosystemError('malformed', `render ${view.package}: document ${file.document} does not list ${file.fileName}`);
    return `${lineOf(file, line, view)}\n`;
  });
  return new TextEncoder().encode(lines.join(''));
}

function keyOf(fileName: string, sha256: Sha256 | undefined): string {
  return `${fileName} ${sha256}`;
}

/**
 * cargo takes a yanked version only where a lock names it: so what upstream removed is listed as yanked. Of a time before the oldest document nothing tells when a version was yanked:
 * each is as it was published, and resolves as it did while it was new.
 */
function lineOf({ vanishedAt }: ViewFile, { text, yanked }: IndexLine, { reconstructed }: PackageView): string {
  const shown = vanishedAt !== undefined || (yanked && !reconstructed);
  return shown === yanked ? text : JSON.stringify({ ...JSON.parse(text), yanked: shown });
}
