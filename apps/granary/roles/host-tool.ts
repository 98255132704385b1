import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '@granary/contract/ports';
import { sha256 } from '@granary/core/model';
import { AppError } from '../app-error.ts';
import type { Environment } from './environment.ts';

const MAX_TOOL_BYTES = 256 * 2 ** 20;

/** Unpacks an executable of an environment for use outside the sandbox, below `dir`: derived, made again when missing. Resolves to its path. */
export async function unpackHostTool(
  blobs: BlobStore,
  { recipe, tools }: Environment,
  { name, dir }: { readonly name: string; readonly dir: string },
): Promise<string> {
  const file = recipe.files.find(({ path }) => path.endsWith(`/${name}`));
  const isGone = new AppError('unavailable', `tool ${name} ${tools.get(name) ?? ''}: its executable isn't in the store`);
  if (file === undefined) throw isGone;
  const folder = join(dir, file.sha256);
  const path = join(folder, name);
  const there = await readFile(path).catch(() => undefined);
  if (there !== undefined && sha256(there) === file.sha256) return path;
  const bytes = await blobs.read(file.sha256, MAX_TOOL_BYTES);
  if (bytes === undefined) throw isGone;
  await mkdir(folder, { recursive: true });
  const part = `${path}.part`;
  try {
    await writeFile(part, bytes, { mode: 0o755 });
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}
