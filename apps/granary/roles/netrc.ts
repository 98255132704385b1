/** What netrc(5) says of one host. */
export interface NetrcEntry {
  readonly login: string;
  readonly password: string;
}

/**
 * Entries by host, as pip, uv, go and curl read them; the first for a host counts. `default` is left out: it would show one secret to every
 * upstream. Definitions of macros end with a blank line, and are passed over.
 */
export function parseNetrc(text: string): ReadonlyMap<string, NetrcEntry> {
  const entries = new Map<string, NetrcEntry>();
  const words = text
    .replace(/^[ \t]*macdef\b.*(\n.*\S.*)*/gm, '')
    .replace(/(^|\s)#.*$/gm, '')
    .split(/\s+/)
    .values();
  let host: string | undefined;
  let entry: Partial<NetrcEntry> = {};
  const keep = () => {
    const { login = '', password } = entry;
    if (host !== undefined && password !== undefined && !entries.has(host)) entries.set(host, { login, password });
    entry = {};
  };
  for (const word of words) {
    if (word === 'machine' || word === 'default') {
      keep();
      host = word === 'machine' ? words.next().value : undefined;
    } else if (word === 'login' || word === 'password') entry = { ...entry, [word]: words.next().value ?? '' };
    else if (word === 'account') words.next();
  }
  keep();
  return entries;
}
