import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import { sha256 } from '@granary/core/model';
import { headerOf, noneMatchFails } from './answers.ts';
import type { ContentCoding } from './negotiation.ts';

/** A document as it is sent, in one encoding: serving it is a look-up and a write. Thousands are kept, so that each holds little beside its bytes. */
export interface Finished {
  readonly etag: string;
  readonly body: Uint8Array;
  readonly options: FinishOptions;
}
export interface FinishOptions {
  readonly mediaType: string;
  readonly coding: ContentCoding;
  readonly cacheControl: string;
  readonly vary: string;
  readonly more?: readonly string[];
}

/** Smaller ones gain nothing from compression. */
const MIN_COMPRESSED_BYTES = 512;
const compress = {
  gzip: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 6 }),
  br: (bytes: Uint8Array) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
};

export async function finish(bytes: Uint8Array, options: FinishOptions): Promise<Finished> {
  const coding = bytes.length < MIN_COMPRESSED_BYTES ? 'identity' : options.coding;
  const body = coding === 'identity' ? bytes : await compress[coding](bytes);
  // A strong tag names the bytes of one representation: each encoding has its own (RFC 9110 8.8.3.3).
  const etag = `"${sha256(bytes)}${coding === 'identity' ? '' : `-${coding}`}"`;
  return { etag, body, options: { ...options, coding } };
}

export function answerFinished({ etag, body, options }: Finished, request: HttpRequest): HttpResponse {
  const { mediaType, coding, cacheControl, vary, more } = options;
  const headers = ['etag', etag, 'cache-control', cacheControl, 'vary', vary, 'x-content-type-options', 'nosniff'];
  if (more !== undefined) headers.push(...more);
  if (noneMatchFails(headerOf(request, 'if-none-match'), etag)) return { status: 304, headers };
  headers.push('content-type', mediaType, 'content-length', String(body.length));
  if (coding !== 'identity') headers.push('content-encoding', coding);
  return { status: 200, headers, body };
}
