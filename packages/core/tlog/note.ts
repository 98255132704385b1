import { TlogError } from './tlog-error.ts';
import { type VerifierKey, verifyEd25519 } from './verifier-key.ts';

/** C2SP signed-note: limits of golang.org/x/mod/sumdb/note, so that what we accept others accept. */
export const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;

export interface NoteSignature {
  readonly name: string;
  /** Eight hexadecimal digits: which key of that name. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}
/** A note as it was read; nothing in it is verified. */
export interface Note {
  /** Signed text, its last newline included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Reads untrusted bytes; throws TlogError `note-malformed`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_NOTE_BYTES) throw new TlogError('note-malformed', `note of ${bytes.length} bytes: at most ${MAX_NOTE_BYTES}`);
  const message = decodeText(bytes);
  const end = message.lastIndexOf('\n\n');
  if (end < 0 || !message.endsWith('\n')) throw new TlogError('note-malformed', 'note: no blank line before the signatures');
  const lines = message.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new TlogError('note-malformed', `note: ${lines.length} signatures, at most ${MAX_SIGNATURES}`);
  return { text: message.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

/** Bytes of a signed note. */
export function formatNote({ text, signatures }: Note): Uint8Array {
  const lines = signatures.map(({ name, keyId, signature }) => `— ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`);
  const bytes = new TextEncoder().encode(`${text}\n${lines.join('')}`);
  parseNote(bytes);
  return bytes;
}

/**
 * The signatures of keys we know, each verified. Signatures of other keys are ignored; a wrong one of a known key spoils the note:
 * TlogError `signature-invalid`. None at all: TlogError `signature-missing`.
 */
export function verifyNote(note: Note, keys: readonly VerifierKey[]): readonly NoteSignature[] {
  const verified = new Map<string, NoteSignature>();
  for (const signature of note.signatures) {
    const key = keys.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId);
    if (key === undefined || verified.has(key.text)) continue;
    if (!verifyEd25519(key, new TextEncoder().encode(note.text), signature.signature)) {
      throw new TlogError('signature-invalid', `note: the signature of ${key.name}+${key.keyId} does not match the text`);
    }
    verified.set(key.text, signature);
  }
  if (verified.size === 0) throw new TlogError('signature-missing', `note: no signature of ${keys.map(({ name, keyId }) => `${name}+${keyId}`).join(', ')}`);
  return [...verified.values()];
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name, base64] = /^— ([^\s+\u0085]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
  const bytes = Buffer.from(base64 ?? '', 'base64');
  // Four bytes of key id and at least one of signature; base64 in its only strict form.
  if (name === undefined || bytes.length < 5 || bytes.toString('base64') !== base64)
    throw new TlogError('note-malformed', 'note: a signature line is malformed');
  return { name, keyId: bytes.toString('hex', 0, 4), signature: new Uint8Array(bytes.subarray(4)) };
}

function decodeText(bytes: Uint8Array): string {
  // ASCII control characters other than newline are refused, since a terminal might hide what they do.
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) throw new TlogError('note-malformed', 'note: a control character');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TlogError('note-malformed', 'note: not UTF-8', { cause });
  }
}
