import { parse } from 'smol-toml';

/** Undefined for what isn't TOML. */
export function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
