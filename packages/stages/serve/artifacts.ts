import type { BlobStore, ByteRange, HttpRequest, HttpResponse } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { LRUCache } from 'lru-cache';
import { headerOf, lineAnswer, noneMatchFails } from './answers.ts';
import { askedRange, ifRangeHolds } from './byte-range.ts';
import { answerFinished, type Finished, finish } from './finished.ts';
import type { HeldFile } from './holding.ts';
import { negotiateCoding, remembered } from './negotiation.ts';

/** Up to this size a file is served from memory: reading it from disk for each client would cost most of the time. */
const MAX_BUFFERED_BYTES = 2 ** 20;
/** Companions are small documents. */
const MAX_COMPANION_BYTES = 4 * 2 ** 20;
/** What can be quarantined is never cached as immutable. */
const ARTIFACT_CACHE = 'public, max-age=60';

/** A file that is served from memory: its bytes never change, so neither do its answers. */
interface Buffered {
  readonly body: Uint8Array;
  readonly ok: HttpResponse;
}

/** Bytes of artifacts and of what lies beside them. Who may have them was decided before. */
export interface Artifacts {
  file(file: HeldFile, mediaType: string, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  companion(digest: Sha256, mediaType: string, request: HttpRequest): Promise<HttpResponse>;
}

export function openArtifacts(blobs: BlobStore, maxBytes: { readonly artifacts: number; readonly companions: number }): Artifacts {
  const buffers = new LRUCache<Sha256, Buffered>({ maxSize: maxBytes.artifacts, sizeCalculation: ({ body }) => body.length + 1024 });
  const documents = new LRUCache<string, Finished>({ maxSize: maxBytes.companions, sizeCalculation: ({ body }) => body.length + 512 });
  const reading = new Map<Sha256, Promise<Buffered | undefined>>();
  const codingOf = remembered(negotiateCoding);
  const buffer = (file: HeldFile, mediaType: string): Promise<Buffered | undefined> => {
    const started = reading.get(file.sha256) ?? readBuffered(blobs, file, mediaType).finally(() => reading.delete(file.sha256));
    reading.set(file.sha256, started);
    return started;
  };
  return {
    file(file, mediaType, request) {
      const known = buffers.get(file.sha256);
      if (known !== undefined) return answerFile({ blobs, file, mediaType, known }, request);
      if (file.sizeBytes > MAX_BUFFERED_BYTES || request.method === 'HEAD') return answerFile({ blobs, file, mediaType }, request);
      return buffer(file, mediaType).then((read) => {
        if (read === undefined) return missing(file);
        buffers.set(file.sha256, read);
        return answerFile({ blobs, file, mediaType, known: read }, request);
      });
    },
    async companion(digest, mediaType, request) {
      const coding = codingOf(headerOf(request, 'accept-encoding'));
      const key = `${digest} ${coding} ${mediaType}`;
      const known = documents.get(key);
      if (known !== undefined) return answerFinished(known, request);
      const bytes = await blobs.read(digest, MAX_COMPANION_BYTES);
      if (bytes === undefined) return lineAnswer(500, `Granary has lost the bytes of ${digest}`);
      const finished = await finish(bytes, { mediaType, coding, cacheControl: ARTIFACT_CACHE, vary: 'Accept-Encoding' });
      documents.set(key, finished);
      return answerFinished(finished, request);
    },
  };
}

async function readBuffered(blobs: BlobStore, file: HeldFile, mediaType: string): Promise<Buffered | undefined> {
  const body = await blobs.read(file.sha256, MAX_BUFFERED_BYTES);
  return body && { body, ok: { status: 200, body, headers: fileHeaders(file, mediaType, file.sizeBytes) } };
}

interface FileAnswer {
  readonly blobs: BlobStore;
  readonly file: HeldFile;
  readonly mediaType: string;
  readonly known?: Buffered;
}

function answerFile({ blobs, file, mediaType, known }: FileAnswer, request: HttpRequest): HttpResponse {
  const etag = `"${file.sha256}"`;
  const { headers } = request;
  if (headers['if-none-match'] !== undefined && noneMatchFails(headerOf(request, 'if-none-match'), etag)) {
    return { status: 304, headers: ['etag', etag, 'cache-control', ARTIFACT_CACHE] };
  }
  if (headers['range'] !== undefined && request.method === 'GET' && ifRangeHolds(headerOf(request, 'if-range'), etag)) {
    const asked = askedRange(headerOf(request, 'range'), file.sizeBytes);
    if (asked.type === 'part') return part({ blobs, file, mediaType, ...(known === undefined ? {} : { known }) }, asked.range);
    if (asked.type === 'unsatisfiable')
      return lineAnswer(416, `Granary has ${file.sizeBytes} bytes of ${file.fileName}`, ['content-range', `bytes */${file.sizeBytes}`]);
  }
  return (
    known?.ok ?? { status: 200, headers: fileHeaders(file, mediaType, file.sizeBytes), body: { sizeBytes: file.sizeBytes, open: () => openBlob(blobs, file) } }
  );
}

function part({ blobs, file, mediaType, known }: FileAnswer, range: ByteRange): HttpResponse {
  const { start, end } = range;
  const body = known?.body.subarray(start, end) ?? { sizeBytes: end - start, open: () => openBlob(blobs, file, range) };
  return { status: 206, headers: [...fileHeaders(file, mediaType, end - start), 'content-range', `bytes ${start}-${end - 1}/${file.sizeBytes}`], body };
}

function fileHeaders({ sha256 }: HeldFile, mediaType: string, sizeBytes: number): readonly string[] {
  return [
    'content-type',
    mediaType,
    'content-length',
    String(sizeBytes),
    'etag',
    `"${sha256}"`,
    'accept-ranges',
    'bytes',
    'cache-control',
    ARTIFACT_CACHE,
    'x-content-type-options',
    'nosniff',
  ];
}

async function openBlob(blobs: BlobStore, file: HeldFile, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
  const opened = await blobs.open(file.sha256, range);
  if (opened === undefined) throw new Error(`serve ${file.purl}: its bytes are not in the store`);
  return opened.stream;
}

function missing(file: HeldFile): HttpResponse {
  return lineAnswer(500, `Granary has lost the bytes of ${file.fileName}: run granary ledger check`);
}
