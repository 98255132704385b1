import type { Definition, RebuildSource } from '@granary/contract/ecosystem';
import { type BlobStore, type Catalog, type CatalogFact, StoreError } from '@granary/contract/ports';
import { BUILD_TYPE_FROM_COMMIT, type FetchedFile, type Judged, type JudgedPolicy, type RebuiltFile } from '@granary/core/bundle';
import { decodeComparison } from '@granary/core/compare';
import { parseSha256, RebuiltBody, type Sha256, StoredBody, VerdictBody } from '@granary/core/model';
import { z } from 'zod';

export interface JudgedPorts {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
}

const MAX_RECORD_BYTES = 64 * 2 ** 20;
const Fetched = z.object({ fetched: z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number() })) });

/** Reads a verdict with all it rests on, from facts and the blobs that they name. */
export async function readJudged(ports: JudgedPorts, verdict: CatalogFact, policyOf: (verdict: VerdictBody) => JudgedPolicy): Promise<Judged> {
  const body = VerdictBody.parse(verdict.entry.body);
  const { subject: purl } = verdict.entry;
  const comparison = body.comparison === undefined ? undefined : decodeComparison(await read(ports.blobs, body.comparison));
  const definition = body.definition === undefined ? undefined : await readDefinition(ports.blobs, body.definition);
  const rebuilt = await rebuiltFile(ports, purl, { verdict: body, definition });
  return {
    subject: { name: purl, sha256: body.sha256 },
    verdictKey: verdict.key,
    verdict: body.verdict,
    ...(body.tier === undefined ? {} : { sourceTier: body.tier }),
    ...(body.failureClass === undefined ? {} : { failureClass: body.failureClass }),
    ...(body.cause === undefined ? {} : { cause: body.cause }),
    ...(body.findings === undefined ? {} : { findings: body.findings }),
    ...(definition === undefined ? {} : { source: sourceFile(definition.source) }),
    ...(rebuilt === undefined ? {} : { rebuilt }),
    ...(comparison === undefined || body.comparison === undefined ? {} : { compared: { comparison, blob: body.comparison } }),
    policy: policyOf(body),
  };
}

async function readDefinition(blobs: BlobStore, digest: Sha256): Promise<Definition> {
  return JSON.parse(new TextDecoder().decode(await read(blobs, digest)));
}

interface Defined {
  readonly verdict: VerdictBody;
  readonly definition: Definition | undefined;
}

async function rebuiltFile({ catalog, blobs }: JudgedPorts, purl: string, { verdict, definition }: Defined): Promise<RebuiltFile | undefined> {
  if (verdict.definition === undefined || definition === undefined) return undefined;
  const facts = [...catalog.all('rebuilt', { subjectPrefix: purl })].filter(
    ({ entry }) => entry.subject === purl && 'inputs' in entry && entry.inputs[0] === verdict.definition,
  );
  const built = facts.map(({ entry }) => RebuiltBody.parse(entry.body)).find((body) => body.status === 'built');
  if (built?.status !== 'built' || definition.environment === undefined) return undefined;
  return {
    subject: { name: built.fileName, sha256: built.sha256 },
    definition: verdict.definition,
    ...(definition.source.kind === 'commit' ? { buildType: BUILD_TYPE_FROM_COMMIT } : {}),
    rootfs: definition.environment.rootfs,
    fetched: [sourceFile(definition.source), ...(await fetchedFiles({ catalog, blobs }, built.fetched))],
    parameters: Object.fromEntries(definition.parameters.map(({ name, value, from }) => [name, { value, from }])),
    assists: definition.assists.map(({ path, sha256 }) => ({ path, sha256 })),
  };
}

/** A commit by the name of its repository; its digest is that of the tar that its tree becomes. */
function sourceFile(source: RebuildSource): FetchedFile {
  const { sha256 } = source;
  if (source.kind === 'archive') return { purl: source.purl, url: source.purl, sha256 };
  const purl = `${source.repository}@${source.commit}`;
  return { purl, url: purl, sha256, gitCommit: source.commit };
}

/** Every byte stream that the fetch phase read; by its purl where it is an artifact that we hold. */
async function fetchedFiles({ catalog, blobs }: JudgedPorts, manifest: Sha256): Promise<readonly FetchedFile[]> {
  const { fetched } = Fetched.parse(JSON.parse(new TextDecoder().decode(await read(blobs, manifest))));
  return fetched.flatMap(({ path, sha256, sizeBytes }) => {
    const digest = parseSha256(sha256);
    if (digest === undefined) return [];
    const held = catalog.ofDigest('stored', digest).find(({ entry }) => StoredBody.parse(entry.body).sha256 === digest);
    return [{ url: path, sha256: digest, sizeBytes, ...(held === undefined ? {} : { purl: held.entry.subject }) }];
  });
}

async function read(blobs: BlobStore, digest: Sha256): Promise<Uint8Array> {
  const bytes = await blobs.read(digest, MAX_RECORD_BYTES);
  if (bytes === undefined) throw new StoreError('unreachable', `attest: ${digest} is named by a fact, but isn't in the store`);
  return bytes;
}
