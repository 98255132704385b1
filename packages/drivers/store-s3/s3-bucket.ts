import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ByteRange } from '@granary/contract/ports';
import { steadily } from './answer-body.ts';
import { faultOf, S3Fault } from './s3-fault.ts';
import type { S3Service } from './s3-service.ts';
import { ask, openWire, receiptOf, understood, type Wire, write } from './s3-wire.ts';

/** What must hold for a write to take place: nothing is there, or exactly this version. */
export type Condition = { readonly type: 'absent' } | { readonly type: 'etag'; readonly etag: string };
interface PutOptions {
  readonly condition?: Condition | undefined;
  /** Kept beside the bytes: user metadata, by lower-case name. */
  readonly labels?: Labels;
}
type Labels = Readonly<Record<string, string | undefined>>;
interface Found {
  readonly etag: string;
  readonly sizeBytes: number;
}
export interface Part {
  readonly part: number;
  readonly etag: string;
}
interface Body {
  /** To be read to its end, or begun and left. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Instead of reading it at all: closes the connection. */
  leave(): void;
}
interface Page {
  readonly keys: readonly string[];
  /** Where the next page begins; undefined on the last. */
  readonly next: string | undefined;
}

/** One request each, sent once: what is not a success is thrown as S3Fault, and who calls decides what to do about it. Calls may overlap. */
export interface S3Bucket {
  /** Resolves to the version written. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<string>;
  /** With a range: exactly those bytes, of that version. */
  get(key: string, range?: ByteRange & { readonly etag: string }): Promise<Found & { readonly labels: Labels } & Body>;
  /** The whole object with its version; undefined when there is none. */
  read(key: string, maxBytes: number): Promise<{ readonly etag: string; readonly bytes: Uint8Array; readonly labels: Labels } | 'too-large' | undefined>;
  find(key: string): Promise<Found | undefined>;
  remove(key: string): Promise<void>;
  list(prefix: string, from: string | undefined): Promise<Page>;
  /** Throws S3Fault unless the bucket is there and the keys open it. */
  check(): Promise<void>;
  readonly upload: MultipartUpload;
  presign(key: string, seconds: number): Promise<string>;
  close(): void;
}
interface MultipartUpload {
  start(key: string): Promise<string>;
  put(key: string, upload: string, part: { readonly number: number; readonly bytes: Uint8Array }): Promise<Part>;
  complete(key: string, upload: string, parts: readonly Part[]): Promise<void>;
  abort(key: string, upload: string): Promise<void>;
}

const OCTETS = { 'content-type': 'application/octet-stream' };

export function openBucket(service: S3Service): S3Bucket {
  const wire = openWire(service);
  const { client } = wire;
  return {
    put: (key, bytes, options = {}) =>
      write(wire, { method: 'PUT', key, bytes, headers: { ...OCTETS, ...conditionHeaders(options.condition), ...labelHeaders(options.labels) } }),
    get: (key, range) => get(wire, key, range),
    read: (key, maxBytes) => read(wire, key, maxBytes),
    find: (key) => find(wire, key),
    remove: (key) => remove(wire, key),
    list: (prefix, from) => list(wire, prefix, from),
    check: async () => void (await ask(wire, { method: 'HEAD' })).resume(),
    upload: multipart(wire),
    presign: (key, seconds) => understood(client.presignedGetObject(service.bucket, key, seconds)),
    close: wire.close,
  };
}

function multipart(wire: Wire): MultipartUpload {
  const { client, bucket } = wire;
  return {
    start: (key) => understood(client.initiateNewMultipartUpload(bucket, key, OCTETS)),
    async put(key, upload, { number, bytes }) {
      const query = `partNumber=${number}&uploadId=${encodeURIComponent(upload)}`;
      return { part: number, etag: await write(wire, { method: 'PUT', key, query, bytes }) };
    },
    async complete(key, upload, parts) {
      await understood(client.completeMultipartUpload(bucket, key, upload, [...parts]));
    },
    abort: (key, upload) => understood(client.abortMultipartUpload(bucket, key, encodeURIComponent(upload))),
  };
}

async function get(wire: Wire, key: string, range: Parameters<S3Bucket['get']>[1]): ReturnType<S3Bucket['get']> {
  // https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2: both ends of a range on the wire are part of it.
  const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}`, 'if-match': range.etag };
  const answer = await ask(wire, { method: 'GET', key, headers });
  try {
    const { etag } = answer.headers;
    const sizeBytes = Number(answer.headers['content-length'] ?? Number.NaN);
    // What answers instead of the service, a proxy for one, knows no versions; without a length nobody could tell a whole body from a part.
    if (etag === undefined || !Number.isSafeInteger(sizeBytes)) throw new S3Fault('transient', 'an answer without a version or a length');
    if (range !== undefined && (answer.statusCode !== 206 || sizeBytes !== range.end - range.start))
      throw new S3Fault('transient', `HTTP ${answer.statusCode} with ${sizeBytes} bytes, not the range that was asked for`);
    return { etag, sizeBytes, labels: labelsOf(answer.headers), body: whole(answer, sizeBytes, wire), leave: () => void answer.destroy() };
  } catch (error) {
    answer.destroy();
    throw error;
  }
}

async function* whole(answer: IncomingMessage, sizeBytes: number, { patience }: Wire): AsyncIterable<Uint8Array> {
  let read = 0;
  try {
    for await (const chunk of steadily(answer, patience)) {
      read += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw faultOf(error);
  }
  if (read !== sizeBytes) throw new S3Fault('transient', `the body ended after ${read} of ${sizeBytes} bytes`);
}

async function read(wire: Wire, key: string, maxBytes: number): ReturnType<S3Bucket['read']> {
  try {
    const { etag, sizeBytes, labels, body, leave } = await get(wire, key, undefined);
    if (sizeBytes > maxBytes) {
      leave();
      return 'too-large';
    }
    return { etag, labels, bytes: new Uint8Array(Buffer.concat(await Array.fromAsync(body), sizeBytes)) };
  } catch (error) {
    if (error instanceof S3Fault && error.kind === 'absent') return undefined;
    throw error;
  }
}

async function find(wire: Wire, key: string): Promise<Found | undefined> {
  try {
    const answer = await ask(wire, { method: 'HEAD', key });
    answer.resume();
    const { etag } = answer.headers;
    const sizeBytes = Number(answer.headers['content-length'] ?? Number.NaN);
    if (etag === undefined || !Number.isSafeInteger(sizeBytes)) throw new S3Fault('transient', 'an answer without a version or a length');
    return { etag, sizeBytes };
  } catch (error) {
    if (error instanceof S3Fault && error.kind === 'absent') return undefined;
    throw error;
  }
}

async function remove(wire: Wire, key: string): Promise<void> {
  try {
    const { said } = await receiptOf(wire, { method: 'DELETE', key });
    // The one write that has no version to show: nothing said is a success.
    if (said !== '') throw new S3Fault('transient', `a success that is none: ${said}`);
  } catch (error) {
    if (!(error instanceof S3Fault) || error.kind !== 'absent') throw error;
  }
}

async function list({ client, bucket }: Wire, prefix: string, from: string | undefined): Promise<Page> {
  const page = await understood(client.listObjectsV2Query(bucket, prefix, from ?? '', '', 1000, ''));
  const keys = page.objects.flatMap((object) => (object.name === undefined ? [] : [object.name]));
  if (!page.isTruncated) return { keys, next: undefined };
  if (page.nextContinuationToken === '') throw new S3Fault('transient', 'a page that has a next one, but does not say where');
  return { keys, next: page.nextContinuationToken };
}

function conditionHeaders(condition: Condition | undefined): Readonly<Record<string, string>> {
  switch (condition?.type) {
    case undefined:
      return {};
    case 'absent':
      return { 'if-none-match': '*' };
    case 'etag':
      return { 'if-match': condition.etag };
  }
}

const LABEL = 'x-amz-meta-';

function labelHeaders(labels: Labels = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[LABEL + name, value]])));
}

function labelsOf(headers: IncomingHttpHeaders): Labels {
  const labels = Object.entries(headers).filter((header): header is [string, string] => header[0].startsWith(LABEL) && typeof header[1] === 'string');
  return Object.fromEntries(labels.map(([name, value]) => [name.slice(LABEL.length), value]));
}
