import type { HttpResponse } from '@granary/contract/ports';
import { type Purl, packageOf, parsePurl, releaseOf, type Sha256 } from '@granary/core/model';
import { jsonAnswer } from '../answers.ts';
import type { HeldFile } from '../holding.ts';
import type { Holdings } from '../holdings.ts';
import type { Overview } from '../overview.ts';
import type { ServePorts } from '../serve-ports.ts';
import { describeArtifact, describePackage, describeRelease } from './describe.ts';
import type { ApiRoute } from './route-table.ts';
import {
  ArtifactDocument,
  BundlesDocument,
  ComparisonDocument,
  DefinitionDocument,
  KeysDocument,
  LogDocument,
  PackageDocument,
  PackagesDocument,
  ReleaseDocument,
  StatusDocument,
} from './schemas.ts';

const MAX_DOCUMENT_BYTES = 16 * 2 ** 20;
const PAGE = 1000;

export interface ApiParts {
  readonly ports: ServePorts;
  readonly holdings: Holdings;
  readonly overview: () => Overview;
}

/** The interface, address by address. */
export function apiRoutes({ ports, holdings, overview }: ApiParts): readonly ApiRoute[] {
  return [...siteRoutes(ports, overview), ...releases(ports, holdings), ...evidence(ports, holdings)];
}

function siteRoutes(ports: ServePorts, overview: () => Overview): readonly ApiRoute[] {
  return [
    {
      path: '/status',
      operationId: 'status',
      summary: 'What this site holds, and whether it is ready',
      response: StatusDocument,
      answer: () => jsonAnswer(siteStatus(ports, overview())),
    },
    {
      path: '/packages',
      operationId: 'packages',
      summary: `Packages of which something is held, at most ${PAGE} at a time`,
      query: { after: 'The `next` of the page before' },
      response: PackagesDocument,
      answer: ({ query }) => jsonAnswer(packagesAfter(overview().packages, query.get('after') ?? '')),
    },
    {
      path: '/keys',
      operationId: 'keys',
      summary: 'What a verifier needs to know of this site',
      response: KeysDocument,
      answer: async () => jsonAnswer(await ports.keys()),
    },
  ];
}

function releases(ports: ServePorts, holdings: Holdings): readonly ApiRoute[] {
  return [
    {
      path: '/packages/{purl}',
      operationId: 'package',
      summary: 'Releases of a package',
      response: PackageDocument,
      answer: ({ purl }) => maybeJson(describePackage(holdings.of(packageOf(purl)))),
    },
    {
      path: '/releases/{purl}',
      operationId: 'release',
      summary: 'Files of a release, each with its verdict and evidence',
      response: ReleaseDocument,
      answer: ({ purl }) => maybeJson(describeRelease(ports, holdings.of(packageOf(purl)), releaseOf(purl) ?? purl)),
    },
    {
      path: '/artifacts/{sha256}',
      operationId: 'artifact',
      summary: 'One file by its digest',
      response: ArtifactDocument,
      answer: ({ sha256 }) => {
        const file = fileOf(ports, holdings, sha256);
        return file === undefined ? undefined : jsonAnswer(describeArtifact(ports, file));
      },
    },
  ];
}

function evidence(ports: ServePorts, holdings: Holdings): readonly ApiRoute[] {
  return [
    {
      path: '/artifacts/{sha256}/bundles',
      operationId: 'bundles',
      summary: 'Every signed statement about a file',
      response: BundlesDocument,
      answer: async ({ sha256 }) => (fileOf(ports, holdings, sha256) === undefined ? undefined : jsonAnswer({ bundles: await ports.bundlesOf(sha256) })),
    },
    {
      path: '/comparisons/{sha256}',
      operationId: 'comparison',
      summary: 'A comparison, as it was recorded',
      response: ComparisonDocument,
      answer: ({ sha256 }) => documentAnswer(ports, sha256, (value) => ComparisonDocument.safeParse(value).success),
    },
    {
      path: '/definitions/{sha256}',
      operationId: 'definition',
      summary: 'How an artifact is rebuilt',
      response: DefinitionDocument,
      answer: ({ sha256 }) => documentAnswer(ports, sha256, (value) => DefinitionDocument.safeParse(value).success),
    },
    {
      path: '/logs/{sha256}',
      operationId: 'log',
      summary: 'What a build wrote: untrusted text',
      response: LogDocument,
      mediaType: 'text/plain',
      answer: async ({ sha256 }) => {
        const bytes = await readDocument(ports, sha256);
        return bytes && immutableAnswer(bytes, 'text/plain; charset=utf-8', sha256);
      },
    },
  ];
}

export function siteStatus(ports: ServePorts, { packages, artifacts, verdicts }: Overview): StatusDocument {
  const { site } = ports;
  const notReady = [...ports.notReady()];
  return {
    granary: 1,
    url: site.publicUrl,
    ready: notReady.length === 0,
    notReady,
    ledger: { origin: site.origin, size: ports.ledgerSize() },
    packages: packages.length,
    artifacts,
    verdicts: { ...verdicts },
    policy: {
      mode: site.policy.mode,
      verdicts: [...site.policy.verdicts],
      tiers: [...site.policy.tiers],
      minAgeDays: site.policy.minAgeDays,
      waivers: site.policy.waivers.map((waiver) => ({ ...waiver })),
    },
  };
}

function packagesAfter(packages: readonly Purl[], after: string): { readonly packages: readonly Purl[]; readonly next?: Purl } {
  const page = packages.filter((purl) => purl > after).slice(0, PAGE + 1);
  const last = page[PAGE - 1];
  return page.length > PAGE && last !== undefined ? { packages: page.slice(0, PAGE), next: last } : { packages: page };
}

/** The file as the newest fact about the digest has it. */
function fileOf({ catalog }: ServePorts, holdings: Holdings, digest: Sha256): HeldFile | undefined {
  const purl = parsePurl(catalog.ofDigest('stored', digest).at(-1)?.entry.subject ?? '');
  return purl === undefined ? undefined : holdings.of(packageOf(purl)).files.find((file) => file.sha256 === digest && file.purl === purl);
}

/** A blob that is a document of ours. What was published or built is served to those alone whom its view lets have it. */
async function readDocument(ports: ServePorts, digest: Sha256): Promise<Uint8Array | undefined> {
  if (ports.catalog.ofDigest('stored', digest).length > 0 || ports.catalog.ofDigest('rebuilt', digest).length > 0) return undefined;
  const size = await ports.blobs.size(digest);
  return size === undefined || size > MAX_DOCUMENT_BYTES ? undefined : await ports.blobs.read(digest, MAX_DOCUMENT_BYTES);
}

async function documentAnswer(ports: ServePorts, digest: Sha256, isOurs: (value: unknown) => boolean): Promise<HttpResponse | undefined> {
  const bytes = await readDocument(ports, digest);
  return bytes !== undefined && isOurs(parseJson(bytes)) ? immutableAnswer(bytes, 'application/json', digest) : undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function immutableAnswer(body: Uint8Array, mediaType: string, digest: Sha256): HttpResponse {
  const headers = [
    'content-type',
    mediaType,
    'content-length',
    String(body.length),
    'etag',
    `"${digest}"`,
    'cache-control',
    'public, max-age=60',
    'x-content-type-options',
    'nosniff',
  ];
  return { status: 200, body, headers: [...headers, 'content-security-policy', "default-src 'none'; sandbox"] };
}

function maybeJson(value: object | undefined): HttpResponse | undefined {
  return value === undefined ? undefined : jsonAnswer(value);
}
