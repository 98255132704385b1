import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { UpstreamError } from '@granary/contract/ports';

/** What a document may be encoded in. Artifacts are asked for as they are: their digest is of the bytes on the wire. */
export const DOCUMENT_ENCODINGS = 'gzip, br';

const inflate = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), br: promisify(brotliDecompress) };

/** Undoes the content encoding of a whole document (RFC 9110 8.4); what it expands to is bounded like what came over the wire. */
export async function decodeDocument(
  bytes: Uint8Array,
  encoding: string | undefined,
  at: { readonly url: string; readonly maxBytes: number },
): Promise<Uint8Array> {
  const { url, maxBytes } = at;
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return bytes;
  if (name !== 'gzip' && name !== 'x-gzip' && name !== 'br')
    throw new UpstreamError('malformed', url, `get ${url}: content encoding ${name} was not asked for`);
  try {
    return await inflate[name](bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw new UpstreamError('too-large', url, `get ${url}: decodes to more than ${maxBytes} bytes`, { cause });
    throw new UpstreamError('malformed', url, `get ${url}: the body is not valid ${name}`, { cause });
  }
}
