import { type DiscoveredCredentials, EcosystemError, readToml } from '@granary/contract/ecosystem';
import { z } from 'zod';

const MARK = '# --- granary: the next file ---';
/** Settings, then secrets, as cargo names its files now and as it did. */
const READ_FILES = `
cd "\${CARGO_HOME:-$HOME/.cargo}" 2>/dev/null || exit 0
cat config.toml 2>/dev/null || cat config 2>/dev/null
printf '\\n%s\\n' '${MARK}'
cat credentials.toml 2>/dev/null || cat credentials 2>/dev/null
exit 0
`;
const Tables = z.record(z.string(), z.looseObject({ index: z.string().optional(), token: z.string().optional() }));
const File = z.object({ registries: Tables.default({}) });

/** The token that cargo has for the registry of that index (the Cargo book, registry authentication): bare, as cargo sends it. */
export const cargoCredentials: DiscoveredCredentials = {
  argv: ['sh', '-c', READ_FILES],
  parse(output, index) {
    const [settings = '', secrets = ''] = output.split(MARK, 2);
    const isMeant = (text: string | undefined) => text !== undefined && slashed(text.replace(/^sparse\+/, '')) === index;
    const [name] = Object.entries(registriesIn(settings)).find(([, registry]) => isMeant(registry.index)) ?? [];
    const tokens = new Map(Object.entries(registriesIn(secrets)));
    const token = name === undefined ? undefined : tokens.get(name)?.token;
    return token !== undefined && /^[\u0021-\u007e ]+$/.test(token) ? token : undefined;
  },
};

function registriesIn(text: string): z.output<typeof Tables> {
  try {
    return readToml('settings of cargo', text, File).registries;
  } catch (error) {
    if (error instanceof EcosystemError) return {};
    throw error;
  }
}

function slashed(base: string): string {
  return base.endsWith('/') ? base : `${base}/`;
}
