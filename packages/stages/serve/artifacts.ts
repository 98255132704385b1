import { type BlobStore, type ByteRange, type HttpRequest, type HttpResponse, StoreError } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { LRUCache } from 'lru-cache';
import { headerOf, lineAnswer, noneMatchFails } from './answers.ts';
import { type Buffered, buffered } from './buffered.ts';
import { askedRange, ifRangeHolds } from './byte-range.ts';
import { ARTIFACT_CACHE, fileHeaders } from './file-headers.ts';
import { answerFinished, type Finished, finish } from './finished.ts';
import type { HeldFile } from './holding.ts';
import { negotiateCoding, remembered } from './negotiation.ts';
import type { Redirects } from './serve-ports.ts';

/** Up to this size a file is served from memory: reading it from disk for each client would cost most of the time. */
const MAX_BUFFERED_BYTES = 2 ** 20;
/** Companions are small documents. */
const MAX_COMPANION_BYTES = 4 * 2 ** 20;

/** A file that is on record. */
type ServedFile = Pick<HeldFile, 'purl' | 'fileName' | 'sha256' | 'sizeBytes'>;

/** Bytes of artifacts and of what lies beside them. Who may have them was decided before. */
export interface Artifacts {
  file(file: ServedFile, mediaType: string, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  companion(digest: Sha256, mediaType: string, request: HttpRequest): Promise<HttpResponse>;
}

export interface ArtifactsOptions {
  readonly blobs: BlobStore;
  readonly redirects: Redirects | undefined;
  readonly maxBytes: { readonly artifacts: number; readonly companions: number };
}

export function openArtifacts({ blobs, redirects, maxBytes }: ArtifactsOptions): Artifacts {
  const buffers = new LRUCache<Sha256, Buffered>({
    maxSize: maxBytes.artifacts,
    sizeCalculation: ({ sizeBytes }) => sizeBytes + 1024,
    dispose: (evicted) => evicted.drop(),
  });
  const documents = new LRUCache<string, Finished>({ maxSize: maxBytes.companions, sizeCalculation: ({ body }) => body.length + 512 });
  const reading = new Map<Sha256, Promise<Buffered | undefined>>();
  const codingOf = remembered(negotiateCoding);
  const read = async (file: ServedFile): Promise<Buffered | undefined> => {
    const bytes = await blobs.read(file.sha256, MAX_BUFFERED_BYTES);
    const kept = bytes && buffered(bytes);
    if (kept !== undefined) buffers.set(file.sha256, kept);
    return kept;
  };
  const buffer = (file: ServedFile): Promise<Buffered | undefined> => {
    const started = reading.get(file.sha256) ?? read(file).finally(() => reading.delete(file.sha256));
    reading.set(file.sha256, started);
    return started;
  };
  return {
    file(file, mediaType, request) {
      if (redirects !== undefined && file.sizeBytes >= redirects.fromBytes && isPlainGet(request)) return redirected(redirects, file);
      const known = buffers.get(file.sha256);
      if (known !== undefined || file.sizeBytes > MAX_BUFFERED_BYTES || request.method === 'HEAD')
        return answerFile({ blobs, file, mediaType, known }, request);
      return buffer(file).then((kept) => (kept === undefined ? missing(file) : answerFile({ blobs, file, mediaType, known: kept }, request)));
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

/**
 * Whether the client wants the whole file. Clients that take parts ask with HEAD whether they may, and some don't ask again where they
 * were sent: those are answered here.
 */
function isPlainGet({ method, headers }: HttpRequest): boolean {
  return method === 'GET' && headers['range'] === undefined && headers['if-none-match'] === undefined;
}

/** RFC 9110 15.4.3. The address ends: nobody may keep it. */
async function redirected({ addressOf }: Redirects, { sha256 }: ServedFile): Promise<HttpResponse> {
  return { status: 302, headers: ['location', await addressOf(sha256), 'cache-control', 'no-store', 'content-length', '0'] };
}

interface FileAnswer {
  readonly blobs: BlobStore;
  readonly file: ServedFile;
  readonly mediaType: string;
  readonly known: Buffered | undefined;
}

function answerFile({ blobs, file, mediaType, known }: FileAnswer, request: HttpRequest): HttpResponse {
  const etag = `"${file.sha256}"`;
  const asks = request.headers;
  if (asks['if-none-match'] !== undefined && noneMatchFails(headerOf(request, 'if-none-match'), etag)) {
    return { status: 304, headers: ['etag', etag, 'cache-control', ARTIFACT_CACHE] };
  }
  if (asks['range'] !== undefined && request.method === 'GET' && ifRangeHolds(headerOf(request, 'if-range'), etag)) {
    const asked = askedRange(headerOf(request, 'range'), file.sizeBytes);
    if (asked.type === 'part') return part({ blobs, file, mediaType, known }, asked.range);
    if (asked.type === 'unsatisfiable')
      return lineAnswer(416, `Granary has ${file.sizeBytes} bytes of ${file.fileName}`, ['content-range', `bytes */${file.sizeBytes}`]);
  }
  const headers = fileHeaders({ mediaType, sizeBytes: file.sizeBytes, sha256: file.sha256 });
  // Counted as in use by an answer that carries the bytes, and by no other.
  const use = request.method === 'HEAD' ? undefined : known?.use();
  if (use !== undefined) return { status: 200, headers, body: use.bytes, release: use.release };
  return { status: 200, headers, body: { sizeBytes: file.sizeBytes, open: () => openBlob(blobs, file) } };
}

function part({ blobs, file, mediaType, known }: FileAnswer, range: ByteRange): HttpResponse {
  const { start, end } = range;
  const headers = [...fileHeaders({ mediaType, sizeBytes: end - start, sha256: file.sha256 }), 'content-range', `bytes ${start}-${end - 1}/${file.sizeBytes}`];
  const use = known?.use();
  if (use !== undefined) return { status: 206, headers, body: use.bytes.subarray(start, end), release: use.release };
  return { status: 206, headers, body: { sizeBytes: end - start, open: () => openBlob(blobs, file, range) } };
}

async function openBlob(blobs: BlobStore, file: ServedFile, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
  const opened = await blobs.open(file.sha256, range);
  if (opened === undefined) throw new StoreError('unreachable', `serve ${file.purl}: its bytes are not in the store`);
  return opened.stream;
}

function missing(file: ServedFile): HttpResponse {
  return lineAnswer(500, `Granary has lost the bytes of ${file.fileName}: run granary ledger check`);
}
