import type { Entry, FactKind, Json, Sha256 } from '@granary/core/model';
import { parseSha256 } from '@granary/core/model';

export interface NamedBlob {
  readonly digest: Sha256;
  /** Where in the body it is named: `companions.provenance`. */
  readonly member: string;
}

/**
 * Members of bodies that name bytes this site holds; `*` stands for every member. Digests of what upstream merely lists, or of what may
 * be stored later (`vanished.replacement`, `located.source`), and of what is made again when needed (`environment.rootfs`) are left out.
 */
const MEMBERS: { readonly [kind in FactKind]?: readonly string[] } = {
  watched: ['content'],
  wanted: ['manifest'],
  observed: ['document'],
  vanished: ['document'],
  environment: ['recipe', 'tools.*.sha256'],
  stored: ['sha256', 'metadata', 'companions.*'],
  rebuilt: ['sha256', 'fetched', 'run.log'],
  compared: ['comparison', 'definition'],
  verdict: ['definition', 'rebuilt', 'comparison', 'run.log'],
};

/** The blobs that a fact claims are stored. */
export function namedBlobs({ kind, body }: Entry): readonly NamedBlob[] {
  return (MEMBERS[kind] ?? []).flatMap((member) => digestsAt(body, member.split('.'), ''));
}

function digestsAt(value: Json | undefined, [next, ...rest]: readonly string[], path: string): readonly NamedBlob[] {
  if (next === undefined) {
    const digest = typeof value === 'string' ? parseSha256(value) : undefined;
    return digest === undefined ? [] : [{ digest, member: path.slice(1) }];
  }
  if (!isObject(value)) return [];
  const names = next === '*' ? Object.keys(value) : [next];
  return names.flatMap((name) => digestsAt(value[name], rest, `${path}.${name}`));
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
