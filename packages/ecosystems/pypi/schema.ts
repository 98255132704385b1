import { EcosystemError } from '@granary/contract/ecosystem';
import { type Digests, type Instant, parseInstant, parseSha256 } from '@granary/core/model';
import { Parser } from 'htmlparser2';
import { z } from 'zod';

/** One file of a simple index page (PEP 691 and PEP 503), in our own shape. */
export interface SimpleFile {
  readonly fileName: string;
  readonly url: string;
  readonly digests: Digests;
  readonly requiresPython?: string;
  readonly sizeBytes?: number;
  readonly uploadTime?: Instant;
  readonly yanked: boolean;
  readonly yankedReason?: string;
  /** PEP 714: digest of the metadata file, or that there is one. */
  readonly coreMetadata?: Digests;
  /** PEP 740: absolute address of the provenance document. */
  readonly provenance?: string;
  readonly signature: 'offered' | 'absent' | 'unknown';
}
export interface SimplePage {
  readonly files: readonly SimpleFile[];
  /** PEP 792. */
  readonly status?: { readonly state: string; readonly reason?: string };
}

const Hashes = z.record(z.string(), z.string());
const JsonFile = z.object({
  filename: z.string().max(512),
  url: z.string().max(4096),
  hashes: Hashes,
  'requires-python': z.string().max(1024).nullish(),
  size: z.number().int().nonnegative().nullish(),
  'upload-time': z.string().nullish(),
  yanked: z.union([z.boolean(), z.string()]).nullish(),
  'core-metadata': z.union([z.boolean(), Hashes]).nullish(),
  'data-dist-info-metadata': z.union([z.boolean(), Hashes]).nullish(),
  provenance: z.string().max(4096).nullish(),
  'gpg-sig': z.boolean().nullish(),
});
const JsonPage = z.object({
  meta: z.object({ 'api-version': z.string().regex(/^1\.\d+$/) }),
  name: z.string(),
  files: z.array(JsonFile).max(200_000),
  'project-status': z.object({ status: z.string(), reason: z.string().nullish() }).nullish(),
});

/** Parses an index page by its content type; throws EcosystemError `malformed` that says where. */
export function parseSimplePage(bytes: Uint8Array, url: string, contentType: string): SimplePage {
  const text = new TextDecoder().decode(bytes);
  return /json/.test(contentType) ? parseJson(text, url) : parseHtml(text, url);
}

function parseJson(text: string, url: string): SimplePage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EcosystemError('malformed', `index ${url}: not JSON`, { cause });
  }
  const page = JsonPage.safeParse(value);
  if (!page.success) throw new EcosystemError('malformed', `index ${url}: ${z.prettifyError(page.error)}`);
  const status = page.data['project-status'];
  return {
    files: page.data.files.map((file) => fromJson(file, url)),
    ...(status ? { status: { state: status.status, ...(status.reason ? { reason: status.reason } : {}) } } : {}),
  };
}

function fromJson(file: z.output<typeof JsonFile>, base: string): SimpleFile {
  const metadata = file['core-metadata'] ?? file['data-dist-info-metadata'];
  const uploadTime = parseInstant(file['upload-time'] ?? '');
  const provenance = file.provenance ? absolute(file.provenance, base) : undefined;
  return {
    fileName: file.filename,
    url: absolute(file.url, base) ?? '',
    digests: toDigests(file.hashes),
    yanked: file.yanked !== undefined && file.yanked !== null && file.yanked !== false,
    ...(typeof file.yanked === 'string' && file.yanked !== '' ? { yankedReason: file.yanked } : {}),
    ...(file['requires-python'] ? { requiresPython: file['requires-python'] } : {}),
    ...(typeof file.size === 'number' ? { sizeBytes: file.size } : {}),
    ...(uploadTime === undefined ? {} : { uploadTime }),
    ...(metadata ? { coreMetadata: metadata === true ? {} : toDigests(metadata) } : {}),
    ...(provenance === undefined ? {} : { provenance }),
    signature: file['gpg-sig'] === undefined || file['gpg-sig'] === null ? 'unknown' : file['gpg-sig'] ? 'offered' : 'absent',
  };
}

/** PEP 503: anchors; digests in the fragment, the rest in `data-` attributes. */
function parseHtml(text: string, base: string): SimplePage {
  const anchors: { attributes: Record<string, string>; text: string }[] = [];
  let open: { attributes: Record<string, string>; text: string } | undefined;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'a') open = { attributes, text: '' };
    },
    ontext(data) {
      if (open !== undefined) open.text += data;
    },
    onclosetag(name) {
      if (name !== 'a' || open === undefined) return;
      anchors.push(open);
      open = undefined;
    },
  });
  parser.end(text);
  if (anchors.length === 0 && !/<(html|body|!doctype)/i.test(text)) throw new EcosystemError('malformed', `index ${base}: neither HTML nor JSON`);
  return { files: anchors.flatMap(({ attributes, text: label }) => fromAnchor(attributes, label.trim(), base) ?? []) };
}

function fromAnchor(attributes: Record<string, string>, fileName: string, base: string): SimpleFile | undefined {
  const href = attributes['href'];
  const url = href === undefined ? undefined : absolute(href, base);
  if (url === undefined || fileName === '') return undefined;
  const [address = '', fragment = ''] = url.split('#', 2);
  const metadata = attributes['data-core-metadata'] ?? attributes['data-dist-info-metadata'];
  const signature = attributes['data-gpg-sig'];
  // No PEP has it, but indexes that mirror others state it so.
  const uploadTime = parseInstant(attributes['data-upload-time'] ?? '');
  return {
    fileName,
    url: address,
    digests: toDigests(Object.fromEntries([fragment.split('=', 2)].filter((pair) => pair.length === 2))),
    yanked: attributes['data-yanked'] !== undefined,
    ...(attributes['data-yanked'] ? { yankedReason: attributes['data-yanked'] } : {}),
    ...(uploadTime === undefined ? {} : { uploadTime }),
    ...(attributes['data-requires-python'] ? { requiresPython: attributes['data-requires-python'] } : {}),
    ...(metadata === undefined || metadata === 'false'
      ? {}
      : { coreMetadata: toDigests(Object.fromEntries([metadata.split('=', 2)].filter((pair) => pair.length === 2))) }),
    ...(attributes['data-provenance'] ? { provenance: attributes['data-provenance'] } : {}),
    signature: signature === undefined ? 'unknown' : signature === 'true' ? 'offered' : 'absent',
  };
}

function toDigests(hashes: Readonly<Record<string, string>>): Digests {
  const digest = (name: string, length: number) => {
    const value = hashes[name]?.toLowerCase();
    return value !== undefined && value.length === length && /^[0-9a-f]+$/.test(value) ? { [name]: value } : {};
  };
  const sha256 = parseSha256(hashes['sha256']?.toLowerCase() ?? '');
  return { ...(sha256 === undefined ? {} : { sha256 }), ...digest('sha512', 128), ...digest('sha384', 96), ...digest('sha1', 40), ...digest('md5', 32) };
}

function absolute(reference: string, base: string): string | undefined {
  const url = URL.parse(reference, base);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}
