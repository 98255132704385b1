import { type Purl, parsePurl } from '../model/index.ts';

export interface PurlColumns {
  /** A canonical purl, without version. */
  readonly package?: string;
  readonly release?: Purl;
}
/** Columns by release: a fold meets the same release many times. The caller keeps it; it may be empty or dropped at any time. */
export type PurlMemo = Map<string, PurlColumns>;

const MAX_REMEMBERED = 10_000;

/** Package and release of any subject; neither when it is no purl. Knows no ecosystem. */
export function purlColumns(subject: string, memo: PurlMemo): PurlColumns {
  if (!subject.startsWith('pkg:')) return {};
  // purl-spec: qualifiers begin at `?`, a subpath at `#`; both characters are percent-encoded anywhere before.
  const text = subject.replace(/[?#].*$/s, '');
  const known = memo.get(text);
  if (known !== undefined) return known;
  if (memo.size >= MAX_REMEMBERED) memo.clear();
  const columns = parseColumns(text);
  memo.set(text, columns);
  return columns;
}

function parseColumns(text: string): PurlColumns {
  const purl = parsePurl(text);
  if (purl === undefined) return {};
  // A canonical purl holds `@` as such only before its version; elsewhere it is `%40`.
  const version = purl.lastIndexOf('@');
  return version === -1 ? { package: purl } : { package: purl.slice(0, version), release: purl };
}
