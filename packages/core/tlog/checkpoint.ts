import { HASH_BYTES } from './merkle-hash.ts';
import { parseNote, verifyNote } from './note.ts';
import { TlogError } from './tlog-error.ts';
import type { VerifierKey } from './verifier-key.ts';

/** C2SP tlog-checkpoint: what a log says about itself. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Opaque lines after the root; empty as we write it. */
  readonly extensions: readonly string[];
}

/** The text to sign. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = [origin, String(size), Buffer.from(root).toString('base64'), ...extensions].map((line) => `${line}\n`).join('');
  parseCheckpoint(text);
  return text;
}

/** Reads untrusted text; throws TlogError `checkpoint-malformed`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', decimal = '', base64 = '', ...others] = text.split('\n');
  const extensions = others.slice(0, -1);
  const root = Buffer.from(base64, 'base64');
  const size = /^(0|[1-9]\d{0,15})$/.test(decimal) ? Number(decimal) : Number.NaN;
  const complete = others.at(-1) === '' && origin !== '' && extensions.every((line) => line !== '');
  if (!complete || !Number.isSafeInteger(size) || root.length !== HASH_BYTES || root.toString('base64') !== base64) {
    throw new TlogError('checkpoint-malformed', `checkpoint ${JSON.stringify(text.slice(0, 120))}: expected origin, size and root, a line each`);
  }
  return { origin, size, root: new Uint8Array(root), extensions };
}

/**
 * A checkpoint of the log `origin`, signed by its key; other signatures, such as cosignatures of witnesses, are left alone.
 * Throws TlogError `note-malformed`, `checkpoint-malformed`, `signature-missing` or `signature-invalid`.
 */
export function openCheckpoint(bytes: Uint8Array, origin: string, key: VerifierKey): Checkpoint {
  const note = parseNote(bytes);
  verifyNote(note, [key]);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin) throw new TlogError('checkpoint-malformed', `checkpoint of ${JSON.stringify(checkpoint.origin)}: expected ${origin}`);
  return checkpoint;
}
