import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const TOOLCHAIN = join(import.meta.dirname, '../../.toolchain');

/** A folder that is made the first time it is asked for: aside and renamed into place, so that one that was interrupted leaves nothing that looks finished. */
export async function bringOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(TOOLCHAIN, name);
  if (existsSync(folder)) return folder;
  mkdirSync(TOOLCHAIN, { recursive: true });
  const aside = mkdtempSync(join(TOOLCHAIN, `partial-${name}-`));
  try {
    await make(aside);
    if (!existsSync(folder)) renameSync(aside, folder);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return folder;
}
