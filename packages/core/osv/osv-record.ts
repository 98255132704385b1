import { z } from 'zod';

/** An advisory as OSV writes it (OSV schema 1.7), only what we use. What it holds is untrusted, but bounded. */
export interface OsvRecord {
  readonly id: string;
  readonly summary: string | undefined;
  /** It should never have been there: nothing follows from it. */
  readonly withdrawn: boolean;
  /** As written; RFC 3339. */
  readonly modified: string;
  /** What the database itself says of it, such as `MODERATE`. */
  readonly rating: string | undefined;
  /** CVSS vectors, of whatever version. */
  readonly vectors: readonly string[];
  /** `CWE-79`. */
  readonly weaknesses: readonly string[];
  readonly references: readonly OsvReference[];
  readonly affected: readonly OsvAffected[];
}
export interface OsvReference {
  /** `ADVISORY`, `WEB`, … */
  readonly type: string;
  /** Absolute, of http or https. */
  readonly url: string;
}
/** Which versions of one package are meant: the union of `versions` and `ranges`. */
export interface OsvAffected {
  /** `npm`, `PyPI`, `crates.io`, `Go`, … */
  readonly ecosystem: string;
  readonly name: string;
  readonly versions: readonly string[];
  readonly ranges: readonly OsvRange[];
  /** Where the database keeps the record. */
  readonly source: string | undefined;
}
export interface OsvRange {
  /** `SEMVER`, `ECOSYSTEM` or `GIT`. */
  readonly type: string;
  readonly events: readonly OsvEvent[];
}
export interface OsvEvent {
  readonly type: 'introduced' | 'fixed' | 'last_affected' | 'limit';
  /** `0` is before every version; of `limit`, `*` is after every one. */
  readonly version: string;
}
export type ParsedOsv = { readonly ok: true; readonly record: OsvRecord } | { readonly ok: false; readonly why: string };

/** Longer records are refused: the longest known ones list some thousand versions. */
export const MAX_OSV_BYTES = 4 * 2 ** 20;
const MAX_MEMBERS = 10_000;
const EVENTS = ['introduced', 'fixed', 'last_affected', 'limit'] as const;

const Text = z.string().max(256);
/** What only informs may have any form: it is left out where it has not ours. */
const Informing = <S extends z.ZodType>(schema: S) => schema.optional().catch(undefined);
const Event = z.record(z.string().max(64), z.unknown()).transform((members): readonly OsvEvent[] =>
  EVENTS.flatMap((type) => {
    const version = Object.hasOwn(members, type) ? members[type] : undefined;
    return typeof version === 'string' && version.length <= 256 ? [{ type, version }] : [];
  }),
);
const Range = z.object({ type: Text, events: z.array(Event).max(MAX_MEMBERS) }).transform(({ type, events }): OsvRange => ({ type, events: events.flat() }));
const HttpAddress = z
  .string()
  .max(2048)
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''));
const Affected = z.object({
  package: z.object({ ecosystem: Text, name: Text }).nullish(),
  versions: z.array(Text).max(MAX_MEMBERS).nullish(),
  ranges: z.array(Range).max(1000).nullish(),
  database_specific: Informing(z.object({ source: Informing(HttpAddress) })),
});
const Reference = z.object({ type: Text, url: HttpAddress });
const Record = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}$/),
  modified: z.string().max(64),
  summary: Informing(z.string()),
  withdrawn: z.string().max(64).nullish(),
  severity: Informing(z.array(z.object({ score: z.string().max(1024) })).max(64)),
  references: Informing(z.array(Informing(Reference)).max(MAX_MEMBERS)),
  affected: z.array(Affected).max(MAX_MEMBERS).nullish(),
  database_specific: Informing(z.object({ severity: Informing(z.string().max(64)), cwe_ids: Informing(z.array(z.string().regex(/^CWE-\d{1,6}$/)).max(64)) })),
});

/** Reads one JSON file of an OSV database. */
export function parseOsv(bytes: Uint8Array): ParsedOsv {
  if (bytes.length > MAX_OSV_BYTES) return { ok: false, why: `${bytes.length} bytes, at most ${MAX_OSV_BYTES} are read` };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { ok: false, why: 'not JSON' };
  }
  const read = Record.safeParse(value);
  if (read.success) return { ok: true, record: toRecord(read.data) };
  const [issue] = read.error.issues;
  return { ok: false, why: `not an advisory as OSV writes it: ${issue?.path.join('.').slice(0, 100) || 'the file'}: ${issue?.message.slice(0, 200)}` };
}

function toRecord({ affected, database_specific: own, ...record }: z.output<typeof Record>): OsvRecord {
  return {
    id: record.id,
    summary: record.summary?.slice(0, 300),
    withdrawn: typeof record.withdrawn === 'string',
    modified: record.modified,
    rating: own?.severity,
    vectors: (record.severity ?? []).map(({ score }) => score),
    weaknesses: own?.cwe_ids ?? [],
    references: (record.references ?? []).filter((reference) => reference !== undefined),
    affected: (affected ?? []).flatMap((entry) => toAffected(entry) ?? []),
  };
}

/** Undefined for what names no package, but a repository. */
function toAffected({ package: named, versions, ranges, database_specific: own }: z.output<typeof Affected>): OsvAffected | undefined {
  if (!named) return undefined;
  return { ...named, versions: versions ?? [], ranges: ranges ?? [], source: own?.source };
}
