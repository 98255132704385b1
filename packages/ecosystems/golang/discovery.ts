import type { Discovery } from '@granary/contract/ecosystem';
import { z } from 'zod';

/** Of the checksum databases that it knows by name, the tool has the keys in its own sources. */
const KNOWN_KEYS = '"$(go env GOROOT)/src/cmd/go/internal/modfetch/key.go"';
const Environment = z.object({ GOPROXY: z.string(), GOSUMDB: z.string(), GONOSUMDB: z.string() });
const KNOWN_KEY = /"([^"\s]+)":\s*"(\1\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2})"/g;

export const golangDiscovery: Discovery = {
  argv: ['sh', '-c', `go env -json GOPROXY GOSUMDB GONOSUMDB && { cat ${KNOWN_KEYS} 2>/dev/null || true; }`],
  parse(output) {
    const end = output.indexOf('}') + 1;
    const environment = readEnvironment(output.slice(0, end));
    // `direct`, `off` and addresses of files are none of ours.
    const index = environment?.GOPROXY.split(/[,|]/).find((address) => /^https?:$/.test(URL.parse(address)?.protocol ?? ''));
    if (environment === undefined || index === undefined) return undefined;
    const [name = '', ...address] = environment.GOSUMDB.split(/\s+/);
    const keys = new Map([...output.slice(end).matchAll(KNOWN_KEY)].map(([, known = '', key = '']) => [known, key]));
    return {
      index: index.endsWith('/') ? index : `${index}/`,
      files: [],
      settings: { GOSUMDB: [keys.get(name) ?? name, ...address].join(' '), GONOSUMDB: environment.GONOSUMDB },
    };
  },
};

function readEnvironment(text: string): z.output<typeof Environment> | undefined {
  try {
    return Environment.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
