import { EcosystemError } from '@granary/contract/ecosystem';
import { parseVerifierKey, type VerifierKey } from '@granary/core/tlog';
import { addressOf } from '../upstream.ts';

/** A checksum database, and where it is asked. */
export interface Database {
  readonly key: VerifierKey;
  /** Without a slash at the end. */
  readonly address: string;
}

/** A host, and maybe a path: `golang.org/cmd/go/internal/modfetch` takes no other name. */
const DATABASE_NAME = /^[a-z0-9][a-z0-9.-]*(:\d{1,5})?(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/;

/**
 * What `GOSUMDB` says: a verifier key, and maybe an address of its own; otherwise the upstream passes its questions on. Undefined when
 * none is to be asked. Throws EcosystemError `unsupported` for a name without a key.
 */
export function databaseOf(setting: string | undefined, upstreamBase: string): Database | undefined {
  const [text = '', address] = setting?.trim().split(/\s+/) ?? [];
  if (text === '' || text === 'off') return undefined;
  const key = parseVerifierKey(text);
  if (key === undefined || !DATABASE_NAME.test(key.name))
    throw new EcosystemError('unsupported', `checksum database ${text.slice(0, 200)}: expected GOSUMDB to hold its verifier key, NAME+ID+KEY`);
  return { key, address: (address ?? addressOf(upstreamBase, `sumdb/${key.name}`)).replace(/\/$/, '') };
}

/** `GONOSUMDB`: globs over the first elements of a module path, separated by commas (golang.org/x/mod/module, MatchPrefixPatterns). */
export function isLeftOut(patterns: string | undefined, module: string): boolean {
  const elements = module.split('/');
  return (patterns ?? '').split(',').some((pattern) => {
    const globs = pattern.trim().replace(/\/$/, '').split('/');
    return globs[0] !== '' && globs.length <= elements.length && globs.every((glob, at) => matches(glob, elements[at] ?? ''));
  });
}

function matches(glob: string, element: string): boolean {
  const expression = glob
    .replace(/[.+^${}()|\\[\]]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${expression}$`).test(element);
}
