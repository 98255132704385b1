import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseNetrc } from './netrc.ts';

/** Far more than anybody writes. */
const MAX_NETRC_BYTES = 2 ** 20;

/** An address without what it showed of its user, and what its origin is shown instead. Secrets lie here and in the client that sends them, nowhere else. */
export interface SplitAddress {
  readonly address: string;
  /** `Authorization`, as the origin is shown it. */
  readonly authorization?: string;
}

/** Takes user and password out of an address: what names upstreams is recorded, printed and served. */
export function splitAddress(text: string): SplitAddress {
  const url = URL.parse(text);
  if (url === null || (url.username === '' && url.password === '')) return { address: text };
  const authorization = basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
  url.username = '';
  url.password = '';
  return { address: url.href, authorization };
}

/** What this machine's netrc says of the host of an address, whatever its port. */
export async function netrcAuthorization(address: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const file = environment['NETRC'] ?? join(environment['HOME'] ?? homedir(), '.netrc');
  const entry = parseNetrc(await readStart(file)).get(new URL(address).hostname);
  return entry && basic(entry.login, entry.password);
}

/** Nothing where there is no such file, or none that this process may read: as package managers do. */
async function readStart(file: string): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_NETRC_BYTES), 0, MAX_NETRC_BYTES);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  } finally {
    await handle.close();
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
