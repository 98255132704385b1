import { type Digests, parseSha256 } from '@granary/core/model';

/** One component that an SBOM names, as it names it. Untrusted. */
export interface SbomComponent {
  /** For people, in printable characters. */
  readonly label: string;
  readonly purl?: string;
  /** Of the files that a registry distributes, one entry each; nothing of what was made of them. */
  readonly digests: readonly Digests[];
}

/** Components in one document; the largest products have some ten thousand. */
export const MAX_COMPONENTS = 50_000;
export const MAX_TEXT = 4096;

/** What goes to terminals and logs: no control characters, and not the whole of what somebody wrote. */
export function labelOf(...parts: readonly (string | undefined)[]): string {
  const text = parts.filter((part) => part !== undefined && part !== '').join(' ');
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?').slice(0, 200) || 'without a name';
}

/** By the algorithms that registries state. Undefined when it is none of them, or no digest. */
export function digestOf(algorithm: string, content: string): Digests | undefined {
  const name = algorithm.replaceAll('-', '').toLowerCase();
  const hex = content.toLowerCase();
  if (name === 'sha512' && /^[0-9a-f]{128}$/.test(hex)) return { sha512: hex };
  const sha256 = name === 'sha256' ? parseSha256(hex) : undefined;
  return sha256 === undefined ? undefined : { sha256 };
}

/** Digests that stand together are of one file, unless an algorithm comes twice: then each is of a file of its own. */
export function filesOf(digests: readonly Digests[]): readonly Digests[] {
  const algorithms = digests.flatMap((one) => Object.keys(one));
  if (digests.length === 0 || new Set(algorithms).size < algorithms.length) return digests;
  return [Object.assign({}, ...digests)];
}
