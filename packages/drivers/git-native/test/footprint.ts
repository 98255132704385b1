import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedDriver } from './open-driver.ts';

/** Everything that a driver has on disk, but for its lock: what must be the same after whatever failed. */
export async function footprint({ folder }: Pick<OpenedDriver, 'folder'>): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const kept = files.filter((path) => !/\/lock(-journal)?$/.test(path));
  return (await Promise.all(kept.map(async (path) => `${path} ${(await readFile(path)).length}`))).sort();
}

export function scratchOf({ folder }: Pick<OpenedDriver, 'folder'>): Promise<readonly string[]> {
  return readdir(join(folder, 'scratch'));
}
