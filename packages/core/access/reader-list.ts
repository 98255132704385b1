import { parseSha256, type Sha256 } from '../model/index.ts';
import { parseReaderId, type ReaderId } from './reader-token.ts';

/** A signed list holds 1 MB; each reader takes 82 bytes of it. */
export const MAX_READERS = 10_000;

/** Who may read a site, as its nodes are told: ids and digests of tokens, no names. */
export interface ReaderList {
  /** Of the site's public ledger. */
  readonly origin: string;
  /** Grows with every change. */
  readonly version: number;
  readonly readers: ReadonlyMap<ReaderId, Sha256>;
}

/** No checkpoint begins so: its first line is a bare host name. What signs both can't be made to sign one for the other. */
const TITLE = 'granary readers 1';

/** Text of the note to be signed. Throws RangeError above {@link MAX_READERS}. */
export function formatReaderList({ origin, version, readers }: ReaderList): string {
  if (readers.size > MAX_READERS) throw new RangeError(`list of readers: ${readers.size}, at most ${MAX_READERS}`);
  const lines = [...readers].map(([id, digest]) => `${id} ${digest}`).sort();
  return `${[TITLE, origin, String(version), ...lines].join('\n')}\n`;
}

/** Undefined for whatever {@link formatReaderList} doesn't write. */
export function parseReaderList(text: string): ReaderList | undefined {
  const [title, origin = '', version = '', ...lines] = text.replace(/\n$/, '').split('\n', MAX_READERS + 4);
  if (title !== TITLE || !/^\d{1,15}$/.test(version) || lines.length > MAX_READERS) return undefined;
  const readers = new Map<ReaderId, Sha256>();
  for (const line of lines) {
    const [first = '', second = ''] = line.split(' ', 2);
    const [id, digest] = [parseReaderId(first), parseSha256(second)];
    if (id === undefined || digest === undefined) return undefined;
    readers.set(id, digest);
  }
  const list = { origin, version: Number(version), readers };
  return formatReaderList(list) === text ? list : undefined;
}
