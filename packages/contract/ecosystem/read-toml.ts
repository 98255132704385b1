import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { EcosystemError } from './ecosystem.ts';

/** What a TOML file that somebody hands in says. Throws EcosystemError `bad-spec`: where it isn't TOML, or what of it isn't as expected. */
export function readToml<T>(fileName: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const where = cause instanceof TomlError ? `:${cause.line}:${cause.column}` : '';
    throw new EcosystemError('bad-spec', `${fileName}${where}: not TOML`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new EcosystemError('bad-spec', `${fileName}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
