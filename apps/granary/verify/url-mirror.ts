import { BundlesDocument, KeysDocument, parseEnvelope } from '@granary/core/bundle';
import { HASH_BYTES, MAX_NOTE_BYTES, maxBundleBytes, parseCheckpoint, parseNote, TILE_WIDTH, tilePath } from '@granary/core/tlog';
import type { z } from 'zod';
import type { Mirror } from './mirror.ts';
import { VerifyError } from './verify-error.ts';

const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** A mirror over HTTP, which is shown a token where it wants one. Follows no redirect: whoever asks for one mirror is not sent to another. */
export function urlMirror(url: string, readerToken?: string): Mirror {
  const base = url.endsWith('/') ? url : `${url}/`;
  const headers = readerToken === undefined ? {} : { authorization: `Bearer ${readerToken}` };
  const get = (path: string, maxBytes: number) => fetchBytes(new URL(path, base), { maxBytes, headers });
  return {
    label: url,
    ledger: async (origin) => {
      const checkpoint = await get('ledger/checkpoint', MAX_NOTE_BYTES);
      if (checkpoint === undefined || (origin !== undefined && claimedOrigin(checkpoint) !== origin)) return undefined;
      return { checkpoint, read: (tile) => get(`ledger/${tilePath(tile)}`, tile.level === 'entries' ? maxBundleBytes(tile.width) : TILE_WIDTH * HASH_BYTES) };
    },
    endorsements: async () => {
      const { endorsements } = await document(get, 'api/v1/keys', KeysDocument);
      return endorsements.map((endorsement) => parseEnvelope(new TextEncoder().encode(JSON.stringify(endorsement))));
    },
    bundles: async (file) => (await document(get, `api/v1/artifacts/${file}/bundles`, BundlesDocument)).bundles,
  };
}

function claimedOrigin(checkpoint: Uint8Array): string | undefined {
  try {
    return parseCheckpoint(parseNote(checkpoint).text).origin;
  } catch {
    // Which ledger this is cannot be said; whoever opens it under the key that is expected gets the reason.
    return undefined;
  }
}

type Get = (path: string, maxBytes: number) => Promise<Uint8Array | undefined>;

async function document<T>(get: Get, path: string, schema: z.ZodType<T>): Promise<T> {
  const bytes = await get(path, MAX_DOCUMENT_BYTES);
  if (bytes === undefined) throw new VerifyError('mirror-unreachable', `GET ${path}: the mirror does not know this path; does the URL name a Granary?`);
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new VerifyError('bundle-malformed', `GET ${path}: not the document that was expected`, { cause });
  }
}

interface FetchOptions {
  readonly maxBytes: number;
  readonly headers: Readonly<Record<string, string>>;
}

async function fetchBytes(url: URL, { maxBytes, headers }: FetchOptions): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 404) return undefined;
    if (response.status === 401)
      throw new VerifyError('mirror-unreachable', `GET ${url}: the mirror wants a token that it knows: GRANARY_READER_TOKEN in the environment holds one`);
    if (!response.ok || response.body === null) throw new VerifyError('mirror-unreachable', `GET ${url}: status ${response.status}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > maxBytes) throw new VerifyError('mirror-unreachable', `GET ${url}: more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  } catch (cause) {
    if (cause instanceof VerifyError) throw cause;
    throw new VerifyError('mirror-unreachable', `GET ${url}: ${cause instanceof Error ? cause.message : String(cause)}; is the mirror running?`, { cause });
  }
}
