import type { Json } from '../model/index.ts';
import { defined } from './defined.ts';
import type { FetchedFile, RebuiltFile } from './judged.ts';
import { BUILD_TYPE_WHEEL_FROM_SDIST, PROVENANCE_TYPE, siteUri } from './names.ts';
import type { Statement } from './statement.ts';

/**
 * SLSA provenance v1 of a rebuilt file. `externalParameters` is all that whoever asked could choose: the published file and
 * the definition. No times and no invocation id: the statement is a function of its input, and the ledger orders it.
 */
export function provenanceStatement(artifact: string, rebuilt: RebuiltFile, origin: string): Statement {
  return {
    subject: rebuilt.subject,
    predicateType: PROVENANCE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: rebuilt.buildType ?? BUILD_TYPE_WHEEL_FROM_SDIST,
        externalParameters: { artifact, definition: { sha256: rebuilt.definition } },
        internalParameters: defined({ parameters: rebuilt.parameters }),
        resolvedDependencies: resolvedDependencies(rebuilt, origin),
      },
      runDetails: { builder: { id: siteUri(origin) } },
    },
  };
}

/** Everything the build could read, each once, in an order of its own: by uri, then digest. */
function resolvedDependencies({ definition, rootfs, fetched, assists }: RebuiltFile, origin: string): readonly Json[] {
  const files = new Map(fetched.map((file) => [`${uriOf(file, origin)} ${file.sha256}`, { uri: uriOf(file, origin), digest: digestOf(file) }]));
  return [
    { name: 'definition', digest: { sha256: definition } },
    { name: 'rootfs', digest: { sha256: rootfs } },
    ...(assists ?? []).map(({ path, sha256 }) => ({ name: `assist:${path}`, digest: { sha256 } })),
    ...[...files.keys()].sort().flatMap((key) => files.get(key) ?? []),
  ];
}

/** SLSA provenance v1, ResourceDescriptor: git commits beside other digests. */
export function digestOf({ sha256, gitCommit }: FetchedFile): { readonly [algorithm: string]: string } {
  return gitCommit === undefined ? { sha256 } : { gitCommit, sha256 };
}

/** By purl, or as a path of this mirror: what has no purl, such as an index page, only this site has in these bytes. */
function uriOf({ purl, url }: FetchedFile, origin: string): string {
  return purl ?? (url.startsWith('/') ? `${siteUri(origin)}${url}` : url);
}
