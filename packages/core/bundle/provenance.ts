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
        resolvedDependencies: resolvedDependencies(rebuilt),
      },
      runDetails: { builder: { id: siteUri(origin) } },
    },
  };
}

/** Everything the build could read, each once, in an order of its own: by uri, then digest. */
function resolvedDependencies({ definition, rootfs, fetched, assists }: RebuiltFile): readonly Json[] {
  const files = new Map(fetched.map((file) => [`${file.purl ?? file.url} ${file.sha256}`, dependency(file)]));
  return [
    { name: 'definition', digest: { sha256: definition } },
    { name: 'rootfs', digest: { sha256: rootfs } },
    ...(assists ?? []).map(({ path, sha256 }) => ({ name: `assist:${path}`, digest: { sha256 } })),
    ...[...files.keys()].sort().flatMap((key) => files.get(key) ?? []),
  ];
}

function dependency({ purl, url, sha256 }: FetchedFile): Json {
  return { uri: purl ?? url, digest: { sha256 } };
}
