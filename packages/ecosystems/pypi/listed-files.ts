import { EcosystemError, type PackageView, type ViewFile } from '@granary/contract/ecosystem';
import type { Sha256 } from '@granary/core/model';
import { nameOf, parseFileName } from './names.ts';
import { parseSimplePage, type SimpleFile, type SimplePage } from './schema.ts';

/** One file as a page lists it: what we hold, and what upstream's document says of it. */
export interface ListedFile {
  readonly file: ViewFile;
  readonly version: string;
  /** From the page's own address. */
  readonly url: string;
  readonly provenance?: string;
  readonly upstream: SimpleFile;
  /** False, or the reason; true when there is none. */
  readonly yanked: boolean | string;
}
export interface ListedPage {
  readonly name: string;
  readonly versions: readonly string[];
  readonly files: readonly ListedFile[];
  readonly status: SimplePage['status'];
}

/** What a page says of a package, whatever its media type. Throws EcosystemError `malformed` when a document doesn't list what the view takes from it. */
export function listFiles(view: PackageView): ListedPage {
  const name = nameOf(view.package);
  const pages = new Map<Sha256, { readonly status: SimplePage['status']; readonly files: ReadonlyMap<string, SimpleFile> }>();
  for (const [digest, { bytes, url, contentType }] of view.documents) {
    const page = parseSimplePage(bytes, url, contentType);
    pages.set(digest, { status: page.status, files: new Map(page.files.map((file) => [file.fileName, file])) });
  }
  const files = view.files.map((file): ListedFile => {
    const upstream = pages.get(file.document)?.files.get(file.fileName);
    if (upstream === undefined) throw new EcosystemError('malformed', `render ${view.package}: document ${file.document} does not list ${file.fileName}`);
    return listed(name, file, upstream);
  });
  return { name, files, versions: [...new Set(files.map(({ version }) => version))], status: pages.get(view.document)?.status };
}

function listed(name: string, file: ViewFile, upstream: SimpleFile): ListedFile {
  const version = parseFileName(name, file.fileName)?.version ?? '';
  const hasProvenance = file.companions.includes('provenance');
  return {
    file,
    version,
    upstream,
    yanked: yankedOf(file, upstream),
    url: `../../${file.path}`,
    ...(hasProvenance ? { provenance: `../../integrity/${name}/${encodeURIComponent(version)}/${encodeURIComponent(file.fileName)}/provenance` } : {}),
  };
}

/** Resolvers avoid a yanked file; whoever pinned it goes on getting it (PEP 592). So what upstream removed is listed as yanked. */
function yankedOf({ vanishedAt }: ViewFile, { yanked, yankedReason }: SimpleFile): boolean | string {
  if (vanishedAt !== undefined) return `removed upstream, noticed ${vanishedAt.slice(0, 10)}`;
  return yanked ? (yankedReason ?? true) : false;
}
