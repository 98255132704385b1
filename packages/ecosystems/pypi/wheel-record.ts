import { createHash } from 'node:crypto';
import type { Archive, ArchiveEntry } from '@granary/core/archive';
import { parseCsv } from './record-csv.ts';

/** Of a RECORD; the largest real ones have some 20,000 lines. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024;
/** Problems told before the rest is only counted. */
const MAX_PROBLEMS = 5;

/** The one `*.dist-info/RECORD` of a wheel; undefined when there is none, or more than one. */
export function recordPath(archive: Archive): string | undefined {
  const paths = new Set(archive.entries.map(({ path }) => path).filter((path) => /^[^/]+\.dist-info\/RECORD$/.test(path)));
  return paths.size === 1 ? [...paths][0] : undefined;
}

/**
 * Checks RECORD against the files of the wheel (PyPA binary distribution format, "The .dist-info directory"): each
 * file is listed once with a digest of sha256 or better and its size, nothing else is listed. Returns what is wrong.
 */
export function recordProblems(archive: Archive, path: string): readonly string[] {
  const record = archive.entries.findLast((entry) => entry.path === path);
  if (record === undefined || record.content.sizeBytes > MAX_RECORD_BYTES) return ['RECORD is missing or too large to be checked'];
  const rows = parseCsv(Buffer.from(record.content.read()).toString('utf8'));
  if (rows === undefined) return ['RECORD is no CSV'];
  const files = new Map(archive.entries.filter(({ type }) => type !== 'directory').map((entry) => [entry.path, entry]));
  const problems: string[] = [];
  const listed = new Set<string>();
  for (const [name = '', digest = '', size = '', ...more] of rows) {
    if (listed.has(name)) problems.push(`lists ${name} twice`);
    listed.add(name);
    const file = files.get(name);
    if (more.length > 0) problems.push(`has ${more.length + 3} columns for ${name}`);
    if (file === undefined) problems.push(`lists ${name}, which is not in the wheel`);
    else if (!isUnsigned(name, path)) problems.push(...rowProblems(file, digest, size));
  }
  for (const name of files.keys()) if (!listed.has(name) && !isUnsigned(name, path)) problems.push(`does not list ${name}`);
  return problems.length <= MAX_PROBLEMS ? problems : [...problems.slice(0, MAX_PROBLEMS), `and ${problems.length - MAX_PROBLEMS} more`];
}

/** RECORD cannot hold its own digest, and the signatures over it come later. */
function isUnsigned(name: string, path: string): boolean {
  return name === path || name === `${path}.jws` || name === `${path}.p7s`;
}

const ALGORITHMS: ReadonlySet<string> = new Set(['sha256', 'sha384', 'sha512']);

function rowProblems({ path, content }: ArchiveEntry, digest: string, size: string): readonly string[] {
  const [algorithm = '', value = ''] = digest.split('=', 2);
  if (!ALGORITHMS.has(algorithm)) return [`has no digest of sha256 or better for ${path}`];
  const actual =
    algorithm === 'sha256' ? Buffer.from(content.sha256(), 'hex').toString('base64url') : createHash(algorithm).update(content.read()).digest('base64url');
  if (value.replace(/=+$/, '') !== actual) return [`has a wrong ${algorithm} for ${path}`];
  return size !== '' && size !== String(content.sizeBytes) ? [`says that ${path} has ${size} bytes, it has ${content.sizeBytes}`] : [];
}
