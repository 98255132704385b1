import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { UpstreamError } from '@granary/contract/ports';

/** What a document may be encoded in. Artifacts are asked for as they are: their digest is of the bytes on the wire. */
export const DOCUMENT_ENCODINGS = 'gzip, br';

const MIN_PIECE_BYTES = 4096;
/** Where nothing says how long it is. */
const USUAL_PIECE_BYTES = 64 * 1024;
const MAX_PIECE_BYTES = 2 ** 20;
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
    return await inflate[name](bytes, { maxOutputLength: maxBytes, chunkSize: pieceBytes(bytes, name) });
  } catch (cause) {
    if (cause instanceof RangeError) throw new UpstreamError('too-large', url, `get ${url}: decodes to more than ${maxBytes} bytes`, { cause });
    throw new UpstreamError('malformed', url, `get ${url}: the body is not valid ${name}`, { cause });
  }
}

/**
 * What zlib allocates at a time, and goes to a thread for: the whole document, where its end says how long it is (RFC 1952 2.3.1, ISIZE) and that isn't more than a page of a
 * registry has. It may lie.
 */
function pieceBytes(bytes: Uint8Array, name: keyof typeof inflate): number {
  if (name === 'br' || bytes.length < 4) return USUAL_PIECE_BYTES;
  const stated = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  // One more, or it looks as if there were more to come.
  return Math.min(Math.max(stated + 1, MIN_PIECE_BYTES), MAX_PIECE_BYTES);
}
