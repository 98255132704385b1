import { z } from 'zod';
import { isJsonDeeperThan, type Sha256 } from '../model/index.ts';
import { BATCH_FILES, jsonOf } from './batch-request.ts';
import type { LargeFile } from './pointer.ts';

/** What a server says of one file. */
export type FileAnswer =
  | {
      readonly type: 'here';
      readonly href: string;
      /** By lower-case name; for the origin of `href` and nobody else. */
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: 'absent' }
  | { readonly type: 'refused' };

/** What we say of one file. */
export interface AnsweredFile extends LargeFile {
  readonly answer: { readonly href: string; readonly authorization?: string | undefined } | { readonly code: 403 | 404 | 422; readonly message: string };
}

const MAX_DEPTH = 16;
const MAX_HREF_CHARS = 8192;
const MAX_HEADERS = 20;
const MAX_HEADER_CHARS = 8192;
/** RFC 9110 5.1 and 5.5, as far as servers use them. */
const NAME = /^[a-z][a-z0-9_-]{0,99}$/;
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
/** What only the client of HTTP knows, and what it says of itself. */
const NOT_THEIRS =
  /^(?:host|connection|keep-alive|content-.*|transfer-encoding|te|trailer|upgrade|expect|accept|accept-encoding|range|if-.*|user-agent|cookie|proxy-.*|x-forwarded-.*|forwarded)$/;
const Answer = z.object({
  transfer: z.string().nullish(),
  hash_algo: z.string().nullish(),
  objects: z.array(z.unknown()).max(10 * BATCH_FILES),
});
const Answered = z.object({
  oid: z.string(),
  error: z.object({ code: z.number().optional() }).nullish(),
  actions: z.object({ download: z.object({ href: z.string().max(MAX_HREF_CHARS), header: z.unknown().optional() }).nullish() }).nullish(),
});

/**
 * What a server answered, by file that was asked for; those that it says nothing of, or nothing that can be read, are left out. What it says of sizes
 * is passed over: the pointer's holds. Undefined for what is no answer to a batch, or is one for another transfer than the basic.
 */
export function parseBatchAnswer(bytes: Uint8Array): ReadonlyMap<string, FileAnswer> | undefined {
  const answer = isJsonDeeperThan(bytes, MAX_DEPTH) ? undefined : Answer.safeParse(jsonOf(bytes)).data;
  if (answer === undefined || (answer.transfer ?? 'basic') !== 'basic' || (answer.hash_algo ?? 'sha256') !== 'sha256') return undefined;
  const files = new Map<string, FileAnswer>();
  for (const object of answer.objects) {
    const said = Answered.safeParse(object).data;
    if (said !== undefined && !files.has(said.oid)) files.set(said.oid, fileAnswer(said));
  }
  return files;
}

function fileAnswer({ error, actions }: z.output<typeof Answered>): FileAnswer {
  if (error !== undefined && error !== null) return { type: error.code === 404 || error.code === 410 ? 'absent' : 'refused' };
  const download = actions?.download;
  if (download === undefined || download === null) return { type: 'absent' };
  const headers = headersOf(download.header);
  return headers === undefined ? { type: 'refused' } : { type: 'here', href: download.href, headers };
}

/** Undefined for what no request could have. */
function headersOf(header: unknown): Readonly<Record<string, string>> | undefined {
  if (header === undefined || header === null) return {};
  if (typeof header !== 'object' || Array.isArray(header)) return undefined;
  const entries = Object.entries(header);
  if (entries.length > MAX_HEADERS) return undefined;
  const headers = new Map<string, string>();
  for (const [name, value] of entries) {
    const lower = name.toLowerCase();
    if (typeof value !== 'string' || value.length > MAX_HEADER_CHARS || !NAME.test(lower) || !VALUE.test(value)) return undefined;
    if (!NOT_THEIRS.test(lower)) headers.set(lower, value);
  }
  return Object.fromEntries(headers);
}

export function encodeBatchAnswer(files: readonly AnsweredFile[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ transfer: 'basic', objects: files.map(objectOf), hash_algo: 'sha256' }));
}

function objectOf({ oid, sizeBytes, answer }: AnsweredFile): { readonly oid: Sha256; readonly size: number } {
  const object = { oid, size: sizeBytes };
  if (!('href' in answer)) return { ...object, ...{ error: answer } };
  const { href, authorization } = answer;
  // Without `authenticated` a client looks for credentials of its own; with it, it shows what the header says.
  if (authorization === undefined) return { ...object, ...{ actions: { download: { href } } } };
  return { ...object, ...{ authenticated: true, actions: { download: { href, header: { Authorization: authorization } } } } };
}
