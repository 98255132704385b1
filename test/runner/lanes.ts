import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Lane = { readonly command: string; readonly shows: string };

/** The heavy lanes as the README's table of commands names them: that table is the one list of them. */
export async function lanesOf(root: string): Promise<readonly Lane[]> {
  return lanesIn(await readFile(join(root, 'README.md'), 'utf8'));
}

/** Rows like `| ``npm run lane:kill`` | what it shows |`. */
export function lanesIn(readme: string): readonly Lane[] {
  return [...readme.matchAll(/^\| `(npm run (?:lane|bench):[^`]+)` \| (.+?) \|$/gm)].map(([, command = '', shows = '']) => ({ command, shows }));
}
