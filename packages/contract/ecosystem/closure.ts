import {
  type Artifact,
  canonicalJson,
  DigestsShape,
  type Json,
  type Purl,
  PurlShape,
  parseInstant,
  parsePurl,
  type Sha256,
  Sha256Shape,
} from '@granary/core/model';
import { z } from 'zod';

/** Everything that one wish comes to: the blob behind a `wanted` fact of role `install`. */
export interface Closure {
  /** Key of the `watched` fact that it was made for: another lockfile under the same name, or other patterns, is another wish. */
  readonly watched: Sha256;
  readonly artifacts: readonly Artifact[];
  /** The index documents it was resolved on, by package: when one changes, the wish is resolved anew. */
  readonly basis: Readonly<Record<string, Sha256>>;
  /** What was asked for and can't be had, for people. */
  readonly missing: readonly string[];
  /** Source repositories, each with all its refs. */
  readonly repositories: readonly Purl[];
}

export const ArtifactShape = z
  .object({
    purl: z.string(),
    fileName: z.string(),
    digests: DigestsShape,
    path: z.string(),
    sizeBytes: z.number().optional(),
    publishedAt: z.string().optional(),
  })
  .transform(({ purl, publishedAt, sizeBytes, ...rest }, context): Artifact => {
    const [name, instant] = [parsePurl(purl), parseInstant(publishedAt ?? '')];
    if (name === undefined) {
      context.addIssue({ code: 'custom', message: 'not an artifact' });
      return z.NEVER;
    }
    return {
      ...rest,
      purl: name,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(instant === undefined ? {} : { publishedAt: instant }),
    };
  });
const ClosureShape = z.object({
  granary: z.literal(1),
  type: z.literal('closure'),
  watched: Sha256Shape,
  artifacts: z.array(ArtifactShape),
  basis: z.record(z.string(), Sha256Shape),
  missing: z.array(z.string()),
  repositories: z.array(PurlShape).default([]),
});

/** Canonical bytes: the same closure is the same blob. */
export function encodeClosure(closure: Closure): Uint8Array {
  const artifacts = closure.artifacts.map(artifactJson).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const { watched, basis, missing } = closure;
  const repositories = closure.repositories.length === 0 ? {} : { repositories: closure.repositories.toSorted() };
  return new TextEncoder().encode(
    canonicalJson({ granary: 1, type: 'closure', watched, artifacts, basis: { ...basis }, missing: [...missing], ...repositories }),
  );
}

/** Throws ZodError on what {@link encodeClosure} didn't write. */
export function decodeClosure(bytes: Uint8Array): Closure {
  const { watched, artifacts, basis, missing, repositories } = ClosureShape.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return { watched, artifacts, basis, missing, repositories };
}

export function artifactJson({ purl, fileName, digests, path, sizeBytes, publishedAt }: Artifact): { readonly [name: string]: Json } {
  return {
    purl,
    fileName,
    digests: { ...digests },
    path,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(publishedAt === undefined ? {} : { publishedAt }),
  };
}
