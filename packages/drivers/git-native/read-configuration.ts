import { RepositoryError } from '@granary/contract/ports';
import type { ConfigEntry } from '@granary/core/git';
import { gitLines } from './git-lines.ts';
import { type LookUp, objectHeaders } from './look-up-objects.ts';

const READ_MS = 60_000;

/** What a blob says in the format of git-config(1), in its order, as git reads it. It includes no other file. Throws RepositoryError `malformed`, `too-large`. */
export async function readConfiguration(
  lookUp: LookUp,
  objectId: string,
  { maxBytes, maxEntries }: { readonly maxBytes: number; readonly maxEntries: number },
): Promise<readonly ConfigEntry[]> {
  const what = `read configuration ${objectId}`;
  const header = (await objectHeaders(lookUp, [objectId])).get(objectId);
  if (header?.type !== 'blob') throw new RepositoryError('malformed', `${what}: it is no blob that is here`);
  if (header.sizeBytes > maxBytes) throw new RepositoryError('too-large', `${what}: ${header.sizeBytes} bytes, at most ${maxBytes} are read`);
  const { runner, places, signal } = lookUp;
  const lines = gitLines(runner, what, {
    args: ['config', '--no-includes', '--null', '--list', '--blob', objectId],
    places,
    timeoutMs: READ_MS,
    outputEnd: '\0',
    ...(signal === undefined ? {} : { signal }),
  });
  const entries: ConfigEntry[] = [];
  for await (const line of lines) {
    if (entries.length === maxEntries) throw new RepositoryError('too-large', `${what}: more than ${maxEntries} lines`);
    entries.push(entryOf(line));
  }
  return entries;
}

/** Key, line feed, value; a key alone is what is only switched on. A key has no line feed. */
function entryOf(line: string): ConfigEntry {
  const text = Buffer.from(line, 'latin1').toString();
  const end = text.indexOf('\n');
  return end === -1 ? { key: text, value: '' } : { key: text.slice(0, end), value: text.slice(end + 1) };
}
