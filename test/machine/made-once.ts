import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const TOOLCHAIN = join(import.meta.dirname, '../../.toolchain');

/** A folder of the toolchain, whole or absent: filled where it is missing, under another name than it comes to have. Resolves to its path. */
export async function madeOnce(name: string, fill: (made: string, folder: string) => Promise<void>): Promise<string> {
  const folder = join(TOOLCHAIN, name);
  const known = await access(folder).then(
    () => true,
    () => false,
  );
  if (known) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  await fill(made, folder);
  try {
    renameSync(made, folder);
  } catch {
    // Another process was first: what it made is the same.
    rmSync(made, { recursive: true });
  }
  return folder;
}
