import type { DiscoveredCredentials } from '@granary/contract/ecosystem';

/** npm prints no secrets: its files are read, and what they take from the environment is filled in as npm does. */
const READ_NPMRC = `
cat .npmrc "\${npm_config_userconfig:-\${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}}" 2>/dev/null | awk '{
  done = ""
  while (match($0, /[$][{][A-Za-z_][A-Za-z0-9_]*[}]/)) {
    done = done substr($0, 1, RSTART - 1) ENVIRON[substr($0, RSTART + 2, RLENGTH - 3)]
    $0 = substr($0, RSTART + RLENGTH)
  }
  print done $0
}'
`;
const LINE = /^\s*(\/\/[^\s=]*?):(_authToken|_auth|username|_password)\s*=\s*"?([^"\r\n]*?)"?\s*$/;
const MAX_LINES = 10_000;

/** As npm shows a registry what its files hold for the address, or for one above it: a token before a user's name and password. */
export const npmCredentials: DiscoveredCredentials = {
  argv: ['sh', '-c', READ_NPMRC],
  parse(output, index) {
    const known = new Map<string, string>();
    for (const line of output.split('\n', MAX_LINES)) {
      const [, place = '', name = '', value = ''] = LINE.exec(line) ?? [];
      const key = `${place.endsWith('/') ? place : `${place}/`}:${name}`;
      // The project's file comes first, and goes before the user's.
      if (value !== '' && !known.has(key)) known.set(key, value);
    }
    return placesOf(index)
      .map((place) => shownAt(known, place))
      .find((shown) => shown !== undefined);
  },
};

function shownAt(known: ReadonlyMap<string, string>, place: string): string | undefined {
  const held = (name: string) => known.get(`${place}:${name}`);
  const [token, auth, user, password] = [held('_authToken'), held('_auth'), held('username'), held('_password')];
  if (token !== undefined) return headerOf(`Bearer ${token}`);
  if (auth !== undefined) return headerOf(`Basic ${auth}`);
  if (user === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${user}:${Buffer.from(password, 'base64').toString()}`).toString('base64')}`;
}

/** What can stand in a header (RFC 9110 5.5). */
function headerOf(text: string): string | undefined {
  return /^[\u0021-\u007e ]+$/.test(text) ? text : undefined;
}

/** `//host/a/b/`, `//host/a/`, `//host/`. */
function placesOf(index: string): readonly string[] {
  const url = URL.parse(index);
  if (url === null) return [];
  const segments = url.pathname.split('/').filter((segment) => segment !== '');
  return Array.from({ length: segments.length + 1 }, (_, dropped) => {
    const kept = segments.slice(0, segments.length - dropped);
    return `//${url.host}/${kept.map((segment) => `${segment}/`).join('')}`;
  });
}
