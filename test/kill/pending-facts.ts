import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { factKey, parseCanonicalJson, parseFact } from '@granary/core/model';
import { filesBelow } from './site-folder.ts';

/** Keys of the facts that lie acknowledged below a folder `pending/`, a line each. What goes while it is looked at was seen by nobody. */
export async function pendingFacts(folder: string): Promise<readonly string[]> {
  const texts = await Promise.all((await filesBelow(folder)).map((file) => readFile(join(folder, file), 'utf8').catch(() => '')));
  return texts.flatMap((text) => text.split('\n')).flatMap(keyOf);
}

function keyOf(line: string): readonly string[] {
  const value = line === '' ? undefined : parseCanonicalJson(line);
  if (typeof value !== 'object' || value === null || !('fact' in value)) return [];
  const fact = parseFact(value['fact']);
  return fact === undefined ? [] : [factKey(fact)];
}
