import { gunzipSync } from 'node:zlib';
import { parseSha256, type Sha256 } from '@granary/core/model';
import { parseStanza } from './control-file.ts';
import { DebError } from './deb-error.ts';

/** A binary package as the index of its archive lists it. */
export interface ListedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Below the archive's address. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}

/** Debian's largest is 50 MB. */
const MAX_INDEX_BYTES = 512 * 2 ** 20;

/** Entries of the named packages, every version of them. Throws DebError `malformed`. Untrusted only as far as its digest is. */
export function readPackagesIndex(gzip: Uint8Array, names: ReadonlySet<string>): readonly ListedPackage[] {
  const index = unpack(gzip);
  const found: ListedPackage[] = [];
  for (let start = 0; start < index.length; ) {
    const blank = index.indexOf('\n\n', start);
    const end = blank === -1 ? index.length : blank;
    // Sixty thousand stanzas, of which a hundred are wanted: the name is looked at before anything is parsed.
    if (names.has(nameAt(index, start, end))) found.push(toListed(index.toString('utf8', start, end)));
    start = end + 2;
  }
  return found;
}

function unpack(gzip: Uint8Array): Buffer {
  try {
    return gunzipSync(gzip, { maxOutputLength: MAX_INDEX_BYTES });
  } catch (cause) {
    throw new DebError('malformed', 'Packages index: it cannot be unpacked', { cause });
  }
}

const NAME_FIELD = 'Package: ';
function nameAt(index: Buffer, start: number, end: number): string {
  if (index.toString('latin1', start, start + NAME_FIELD.length) !== NAME_FIELD) return parseStanza(index.toString('utf8', start, end)).get('package') ?? '';
  const line = index.indexOf('\n', start);
  return index.toString('latin1', start + NAME_FIELD.length, line === -1 || line > end ? end : line).trim();
}

function toListed(text: string): ListedPackage {
  const fields = parseStanza(text);
  const need = (name: string, form: RegExp): string => {
    const value = fields.get(name) ?? '';
    if (!form.test(value)) throw new DebError('malformed', `Packages index: ${fields.get('package')}: ${name} is ${JSON.stringify(value.slice(0, 80))}`);
    return value;
  };
  const sha256 = parseSha256(need('sha256', /^[0-9a-f]{64}$/));
  if (sha256 === undefined) throw new DebError('malformed', 'Packages index: an entry without sha256');
  return {
    name: need('package', /^[a-z0-9][a-z0-9+.-]+$/),
    version: need('version', /^[A-Za-z0-9.+:~-]+$/),
    architecture: need('architecture', /^[a-z0-9-]+$/),
    path: need('filename', /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9_.+~%:-]+(?:\/[A-Za-z0-9_.+~%:-]+)*$/),
    sizeBytes: Number(need('size', /^\d{1,15}$/)),
    sha256,
  };
}
