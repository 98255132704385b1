import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const MAX_TEXT_BYTES = 4 << 20;

/** Every file git keeps or would keep, as paths from the root: what is ignored is nobody's promise. */
export function sourceFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 });
  return [...new Set(listed.split('\0'))].filter((path) => path !== '' && isFile(path)).toSorted();
}

/** The text of a file; undefined when it holds a NUL byte or is larger than any text of ours. */
export function textOf(path: string): string | undefined {
  const file = join(ROOT, path);
  if (statSync(file).size > MAX_TEXT_BYTES) return undefined;
  const text = readFileSync(file, 'utf8');
  return text.includes('\0') ? undefined : text;
}

// Deleted but not yet committed: git lists it, the disk does not hold it.
function isFile(path: string): boolean {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile() === true;
}
