import type { HttpRequest, HttpResponse, ObjectStore } from '@granary/contract/ports';
import { checkpointKey, tileKey } from '@granary/core/layout';
import { sha256 } from '@granary/core/model';
import { MAX_NOTE_BYTES, maxBundleBytes, parseTilePath, TILE_WIDTH } from '@granary/core/tlog';
import { headerOf, lineAnswer, noneMatchFails } from './answers.ts';

const HASH_TILE_BYTES = TILE_WIDTH * 32;

/** The public ledger as C2SP tlog-tiles has it, straight from the store. Only full tiles are immutable. */
export async function answerLedger(
  objects: ObjectStore,
  origin: string,
  { path, request }: { readonly path: string; readonly request: HttpRequest },
): Promise<HttpResponse> {
  if (path === 'checkpoint') {
    const note = await objects.get(checkpointKey(origin), MAX_NOTE_BYTES);
    return note === undefined
      ? lineAnswer(404, 'Granary has published no checkpoint yet')
      : file(note, request, { mediaType: 'text/plain; charset=utf-8', cacheControl: 'no-cache' });
  }
  const tile = parseTilePath(path);
  if (tile === undefined) return lineAnswer(404, 'Granary has the ledger at checkpoint, tile/<level>/<index> and tile/entries/<index>');
  const bytes = await objects.get(tileKey(origin, path), tile.level === 'entries' ? maxBundleBytes(tile.width) : HASH_TILE_BYTES);
  if (bytes === undefined) return lineAnswer(404, `Granary has no ${path} in its ledger`);
  const cacheControl = tile.width === TILE_WIDTH ? 'public, max-age=31536000, immutable' : 'public, max-age=60';
  return file(bytes, request, { mediaType: 'application/octet-stream', cacheControl });
}

function file(
  body: Uint8Array,
  request: HttpRequest,
  { mediaType, cacheControl }: { readonly mediaType: string; readonly cacheControl: string },
): HttpResponse {
  const etag = `"${sha256(body)}"`;
  const common = ['etag', etag, 'cache-control', cacheControl, 'x-content-type-options', 'nosniff'];
  if (noneMatchFails(headerOf(request, 'if-none-match'), etag)) return { status: 304, headers: common };
  return { status: 200, body, headers: ['content-type', mediaType, 'content-length', String(body.length), ...common] };
}
