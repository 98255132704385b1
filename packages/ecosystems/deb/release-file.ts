import { type Instant, parseSha256, type Sha256, toInstant } from '@granary/core/model';
import { parseStanza } from './control-file.ts';
import { DebError } from './deb-error.ts';

/** What an archive's signed index says of itself (Debian wiki, RepositoryFormat, "Release" files). */
export interface ReleaseFile {
  readonly origin: string;
  readonly suite: string;
  readonly codename: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly signedAt: Instant;
  readonly validUntil?: Instant;
  /** Whether index files can be had by their digest too, which no update of the archive can pull away under us. */
  readonly hasByHash: boolean;
  /** Index files by path below the suite. */
  readonly files: ReadonlyMap<string, { readonly sha256: Sha256; readonly sizeBytes: number }>;
}

/** Parses what a signature was checked over. Throws DebError `malformed`. */
export function parseRelease(text: string): ReleaseFile {
  const fields = parseStanza(text);
  const need = (name: string): string => {
    const value = fields.get(name)?.trim();
    if (value === undefined || value === '') throw new DebError('malformed', `Release file: it has no ${name}`);
    return value;
  };
  const validUntil = fields.get('valid-until');
  return {
    origin: fields.get('origin') ?? '',
    suite: fields.get('suite') ?? '',
    codename: need('codename'),
    components: need('components').split(/\s+/),
    architectures: need('architectures').split(/\s+/),
    signedAt: instant(need('date')),
    ...(validUntil === undefined ? {} : { validUntil: instant(validUntil) }),
    hasByHash: fields.get('acquire-by-hash') === 'yes',
    files: new Map(need('sha256').split('\n').flatMap(parseFile)),
  };
}

function parseFile(line: string): readonly (readonly [string, { readonly sha256: Sha256; readonly sizeBytes: number }])[] {
  const [digest = '', size = '', path] = line.trim().split(/\s+/);
  const sha256 = parseSha256(digest);
  return sha256 === undefined || path === undefined || !/^\d{1,15}$/.test(size) ? [] : [[path, { sha256, sizeBytes: Number(size) }]];
}

/** RFC 5322 form in UTC, as Release files have it. */
function instant(text: string): Instant {
  const milliseconds = /(UTC|GMT|\+0000)$/.test(text.trim()) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw new DebError('malformed', `Release file: ${JSON.stringify(text.slice(0, 60))} is no date in UTC`);
  return toInstant(milliseconds);
}
