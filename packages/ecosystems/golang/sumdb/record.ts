import { EcosystemError } from '@granary/contract/ecosystem';
import { leafHash, MAX_NOTE_BYTES } from '@granary/core/tlog';
import { escapeCase } from '../names.ts';

export const MAX_LOOKUP_BYTES = MAX_NOTE_BYTES + 2 ** 20;

/** What the database has on one version of a module: golang.org/x/mod/sumdb/tlog, FormatRecord. */
export interface SumRecord {
  /** Its place in the log. */
  readonly id: number;
  /** Lines as in go.sum. */
  readonly text: string;
}
/** An answer to `lookup`: the record, and the signed tree that came with it. */
export interface Lookup extends SumRecord {
  readonly note: Uint8Array;
}

/** Path of a question below the database's address. */
export function lookupPath(module: string, version: string): string {
  return `lookup/${escapeCase(module)}@${escapeCase(version)}`;
}

/** Reads untrusted bytes; throws EcosystemError `malformed`. */
export function parseLookup(bytes: Uint8Array): Lookup {
  const message = Buffer.from(bytes);
  const idEnd = message.indexOf('\n');
  const textEnd = message.indexOf('\n\n', idEnd);
  const decimal = message.toString('latin1', 0, Math.max(idEnd, 0));
  const id = /^(0|[1-9]\d{0,15})$/.test(decimal) ? Number(decimal) : Number.NaN;
  if (textEnd === -1 || !Number.isSafeInteger(id)) throw new EcosystemError('malformed', 'checksum database: a record has no number or no end');
  return { id, text: message.toString('utf8', idEnd + 1, textEnd + 1), note: message.subarray(textEnd + 2) };
}

/** The part of a look-up that never changes. */
export function formatRecord({ id, text }: SumRecord): Uint8Array {
  return new TextEncoder().encode(`${id}\n${text}\n`);
}

/** RFC 6962 2.1: of the text alone, its number is where it stands. */
export function recordHash({ text }: SumRecord): Uint8Array {
  return leafHash(new TextEncoder().encode(text));
}

/** The hash that the record has for a version's zip, or for its `go.mod`. */
export function hashIn({ text }: SumRecord, module: string, version: string, kind: 'zip' | 'mod'): string | undefined {
  const prefix = `${module} ${version}${kind === 'mod' ? '/go.mod' : ''} h1:`;
  const line = text.split('\n').find((candidate) => candidate.startsWith(prefix));
  return line === undefined ? undefined : `h1:${line.slice(prefix.length)}`;
}
