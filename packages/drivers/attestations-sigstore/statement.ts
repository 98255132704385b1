import { z } from 'zod';

/** An in-toto statement (v0.1 and v1), of SLSA provenance (v0.2 and v1) what it was made from. Untrusted until its signature was checked, and hostile after. */
export interface Statement {
  readonly subjects: readonly { readonly sha256?: string | undefined; readonly sha512?: string | undefined }[];
  readonly dependencies: readonly z.output<typeof Dependency>[];
}

/** SLSA's own, with a version behind it. */
const PROVENANCE = 'https://slsa.dev/provenance/';
const STATEMENTS: ReadonlySet<string> = new Set(['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1']);

const Text = z.string().max(4096);
const Dependency = z.object({ uri: Text.optional(), digest: z.object({ gitCommit: Text.optional(), sha1: Text.optional() }).optional() });
const Dependencies = z.array(Dependency).max(10_000).optional();
const Shape = z.object({
  _type: z.string(),
  subject: z.array(z.object({ digest: z.object({ sha256: Text.optional(), sha512: Text.optional() }) })).max(1024),
  predicateType: Text,
  predicate: z.unknown(),
});
const Provenance = z.object({ buildDefinition: z.object({ resolvedDependencies: Dependencies }).optional(), materials: Dependencies });

/** Undefined for what isn't one, or has more than anybody needs. */
export function parseAttestation(payload: Uint8Array): Statement | undefined {
  const statement = Shape.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))).data;
  if (statement === undefined || !STATEMENTS.has(statement._type)) return undefined;
  const subjects = statement.subject.map(({ digest }) => digest);
  if (!statement.predicateType.startsWith(PROVENANCE)) return { subjects, dependencies: [] };
  const provenance = Provenance.safeParse(statement.predicate).data;
  if (provenance === undefined) return undefined;
  return { subjects, dependencies: [...(provenance.buildDefinition?.resolvedDependencies ?? []), ...(provenance.materials ?? [])] };
}

/** Commits among what it was made from, each with the address of its repository: `git+https://…@refs/heads/main`. SLSA v0.2 calls them sha1. */
export function gitCommitsOf({ dependencies }: Statement): readonly { readonly address: string; readonly commit: string }[] {
  return dependencies.flatMap(({ uri = '', digest = {} }) => {
    const commit = digest.gitCommit ?? (uri.startsWith('git+') ? digest.sha1 : undefined);
    return commit === undefined ? [] : [{ address: uri.replace(/@refs\/.*$/, ''), commit }];
  });
}
