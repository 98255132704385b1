import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fact, factKey, parseCanonicalJson, parseFact } from '@granary/core/model';
import { filesBelow } from './site-folder.ts';

/** Keys of the facts that lie acknowledged below a folder `pending/`. */
export async function pendingKeys(folder: string): Promise<readonly string[]> {
  return (await pendingFacts(folder)).map(factKey);
}

/** The facts that lie acknowledged below a folder `pending/`, a line each. What goes while it is looked at was seen by nobody. */
export async function pendingFacts(folder: string): Promise<readonly Fact[]> {
  const texts = await Promise.all((await filesBelow(folder)).map((file) => readFile(join(folder, file), 'utf8').catch(() => '')));
  return texts.flatMap((text) => text.split('\n')).flatMap(factOf);
}

function factOf(line: string): readonly Fact[] {
  const value = line === '' ? undefined : parseCanonicalJson(line);
  if (typeof value !== 'object' || value === null || !('fact' in value)) return [];
  const fact = parseFact(value['fact']);
  return fact === undefined ? [] : [fact];
}
