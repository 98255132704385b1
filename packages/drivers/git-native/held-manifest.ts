import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSha256, type Sha256 } from '@granary/core/model';
import { z } from 'zod';

/** What a folder holds, so that the next process can tell whether it still does. */
export interface HeldManifest {
  /** Packs of the store whose objects are here, in whatever files. */
  readonly packs: ReadonlySet<Sha256>;
  /** Files in `objects/pack` that must be there, with their sizes. */
  readonly files: ReadonlyMap<string, number>;
}

const NAME = 'held.json';
const Digest = z.string().transform((text, context) => {
  const digest = parseSha256(text);
  if (digest === undefined) context.addIssue('expected a sha256');
  return digest ?? z.NEVER;
});
const Shape = z
  .object({ version: z.literal(1), packs: z.array(Digest), files: z.array(z.tuple([z.string().regex(/^[a-z0-9.-]+$/), z.int().min(0)])) })
  .transform(({ packs, files }): HeldManifest => ({ packs: new Set(packs), files: new Map(files) }));

/** Undefined when there is none, or it is damaged: the folder is made again then. */
export async function readManifest(folder: string): Promise<HeldManifest | undefined> {
  const text = await readFile(join(folder, NAME), 'utf8').catch(() => '');
  try {
    return Shape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function writeManifest(folder: string, { packs, files }: HeldManifest): Promise<void> {
  const path = join(folder, NAME);
  await writeFile(`${path}.new`, JSON.stringify({ version: 1, packs: [...packs], files: [...files] }));
  await rename(`${path}.new`, path);
}
