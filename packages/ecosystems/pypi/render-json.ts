import type { PackageView } from '@granary/contract/ecosystem';
import type { ListedFile } from './listed-files.ts';
import { listFiles } from './listed-files.ts';

/** PEP 792. */
export const API_VERSION = '1.4';

/** PEP 691 with 700, 714, 740 and 792. Members whose name begins with an underscore are the index's own (PEP 691). */
export function renderPackageJson(view: PackageView): Uint8Array {
  const { name, versions, files, status } = listFiles(view);
  return encode({
    meta: { 'api-version': API_VERSION, ...(view.reconstructed ? { _granary: { state: 'reconstructed' } } : {}) },
    name,
    'project-status': { status: status?.state ?? 'active', ...(status?.reason === undefined ? {} : { reason: status.reason }) },
    versions,
    files: files.map(toJson),
  });
}

export function renderRootJson(names: readonly string[]): Uint8Array {
  return encode({ meta: { 'api-version': API_VERSION }, projects: names.map((name) => ({ name })) });
}

function toJson({ file, upstream, url, provenance, yanked }: ListedFile): object {
  return {
    filename: file.fileName,
    url,
    hashes: file.sha256 === undefined ? {} : { sha256: file.sha256 },
    // Null, not "": clients read an empty specifier as one that is there.
    'requires-python': upstream.requiresPython ?? null,
    ...(file.sizeBytes === undefined ? {} : { size: file.sizeBytes }),
    ...(upstream.uploadTime === undefined ? {} : { 'upload-time': upstream.uploadTime }),
    yanked,
    'core-metadata': file.metadata === undefined ? false : { sha256: file.metadata },
    provenance: provenance ?? null,
  };
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
