import { openPackageDocuments, type PackageDocuments, type PackageView, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { type Instant, type Purl, parseInstant, purlParts } from '@granary/core/model';
import { type Holding, readHolding } from './holding.ts';
import { type Listing, listHolding, packageView } from './listing.ts';
import { offeredFiles, withOffered } from './offered.ts';
import { meets, type Policy } from './policy.ts';
import { type Basis, type Following, RevisionCache } from './revision-cache.ts';
import type { ServedEcosystem, ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';
import type { View } from './view.ts';

type PackageTarget = Pick<Extract<Target, { type: 'client' }>, 'view' | 'viewPath' | 'address' | 'ecosystem' | 'route'>;
/** Parsed index documents kept in memory, per ecosystem. */
const KEPT_DOCUMENTS = 16;
const LISTING_CACHE_BYTES = 4 * 2 ** 20;

/** What a view shows of a package. */
interface ViewListing {
  readonly listing: Listing;
  /** How many files the policy left out, or would leave out. */
  readonly belowPolicy: number;
  /** Why nothing at all is shown, where the policy leaves nothing: what most of the files lack. */
  readonly refused?: string;
  /** When the policy may answer otherwise without a new fact, in milliseconds since 1970. */
  readonly until?: number;
}
export interface Listings {
  /** What the view may know of the package: with a ledger size, nothing later. */
  holding(target: PackageTarget, packagePurl: Purl): Holding;
  /** Undefined when the view has nothing of the package to list. */
  of(target: PackageTarget, packagePurl: Purl): Promise<ViewListing | undefined>;
  /** Paths of the files that the view lists: what an as-of view lets through. */
  paths(target: PackageTarget, packagePurl: Purl): ReadonlySet<string> | Promise<ReadonlySet<string>>;
  view(listing: Listing, target: PackageTarget, packagePurl: Purl): Promise<PackageView>;
  /** A file of the newest document on record, or one that upstream has without listing it. */
  upstreamFile(target: PackageTarget, packagePurl: Purl, path: string): Promise<UpstreamArtifact | undefined>;
}

export function openListings(ports: ServePorts, following: Following): Listings {
  const documents = new Map<ServedEcosystem, PackageDocuments>(
    ports.ecosystems.map((ecosystem) => [ecosystem, openPackageDocuments({ ...ports, ecosystem }, KEPT_DOCUMENTS)]),
  );
  const cache = new RevisionCache<ReadonlySet<string>>(following, LISTING_CACHE_BYTES);
  const holdingOf = ({ view }: PackageTarget, packagePurl: Purl) => {
    const size = sizeOf(view);
    // Not through the cache of holdings: what is made of it is cached.
    return readHolding(ports.catalog, packagePurl, size === undefined ? {} : { size });
  };
  const documentsOf = (ecosystem: ServedEcosystem) => documents.get(ecosystem) ?? openPackageDocuments({ ...ports, ecosystem });
  const of: Listings['of'] = async (target, packagePurl) => {
    const { view, ecosystem } = target;
    const listing = await listHolding(
      { catalog: ports.catalog, documents: documentsOf(ecosystem), unlisted: ecosystem.index.unlisted },
      holdingOf(target, packagePurl),
      momentOf(view),
    );
    if (listing === undefined) return undefined;
    return view.type === 'verified' ? applyPolicy(listing, ports.site.policy, ports.clock.now()) : { listing, belowPolicy: 0 };
  };
  return {
    holding: holdingOf,
    of,
    paths: (target, packagePurl) =>
      cache.get(`${target.viewPath} ${packagePurl}`, basisOf(target.view, packagePurl), async () => {
        const listed = (await of(target, packagePurl))?.listing.files.map(({ held }) => held.path) ?? [];
        const value = new Set([...listed, ...unlistedPaths(target, holdingOf(target, packagePurl))]);
        return { value, sizeBytes: value.size * 256 };
      }),
    async view(listing, target, packagePurl) {
      const holding = holdingOf(target, packagePurl);
      const asOf = target.view.type === 'as-of' ? { asOf: target.view.time } : {};
      const view = await packageView(ports.blobs, listing, { holding, address: target.address, ...asOf });
      if (target.view.type !== 'pull') return view;
      const document = await documentsOf(target.ecosystem).of(listing.anchor);
      // What is refused for the moment alone is listed all the same: pages are kept.
      const permits = (purl: Purl) => (ports.pull?.refusal(purl)?.status ?? 503) === 503;
      return withOffered(view, offeredFiles(document, holding, permits), document);
    },
    async upstreamFile({ ecosystem, route }, packagePurl, path) {
      const isAsked = (artifact: UpstreamArtifact) => artifact.path === path;
      const document = await documentsOf(ecosystem).current(packagePurl);
      const found = document?.fileAt === undefined ? document?.artifacts.find(isAsked) : document.fileAt(path);
      if (found !== undefined || route.type !== 'artifact' || route.version === undefined) return found;
      return ecosystem.index.unlisted?.('', packagePurl, route.version)?.find(isAsked);
    },
  };
}

/** Of files that upstream has without listing them: what was published by then, as far as it is known. */
function unlistedPaths({ view, ecosystem }: PackageTarget, { package: packagePurl, files }: Holding): readonly string[] {
  const { unlisted } = ecosystem.index;
  if (unlisted === undefined || view.type !== 'as-of') return [];
  return files
    .filter(
      ({ purl, publishedAt }) =>
        publishedAt !== undefined && publishedAt <= view.time && unlisted('', packagePurl, purlParts(purl).version ?? '') !== undefined,
    )
    .map(({ path }) => path);
}

/** What cached answers of a view depend on. */
export function basisOf(view: View, packagePurl: string): Basis {
  return sizeOf(view) === undefined ? { package: packagePurl } : 'fixed';
}

function sizeOf(view: View): number | undefined {
  return view.type === 'as-of' ? view.size : undefined;
}

function momentOf(view: View): { readonly time?: Instant; readonly size?: number } {
  if (view.type !== 'as-of') return {};
  return { time: view.time, ...(view.size === undefined ? {} : { size: view.size }) };
}

function applyPolicy(listing: Listing, policy: Policy, now: Instant): ViewListing {
  const answers = listing.files.map((file) => ({ file, answer: meets(file.held, policy, now) }));
  const met = answers.filter(({ answer }) => answer.met);
  const until = answers.map(({ answer }) => Date.parse(parseInstant(answer.until ?? '') ?? '')).filter((time) => !Number.isNaN(time));
  return {
    listing: policy.mode === 'report' ? listing : { ...listing, files: met.map(({ file }) => file) },
    belowPolicy: answers.length - met.length,
    ...(policy.mode === 'report' || met.length > 0 || answers.length === 0
      ? {}
      : { refused: commonest(answers.flatMap(({ answer }) => (answer.met ? [] : [answer.why]))) }),
    ...(until.length === 0 ? {} : { until: Math.min(...until) }),
  };
}

function commonest(reasons: readonly string[]): string {
  const counted = [...Map.groupBy(reasons, (why) => why)].toSorted(([, one], [, other]) => other.length - one.length);
  const [why = 'no file of it is held'] = counted[0] ?? [];
  return counted.length > 1 ? `${why}, and other reasons` : why;
}
