import type { Route } from '@granary/contract/ecosystem';
import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import { type Purl, packageOf, toPurl } from '@granary/core/model';
import { headerOf, lineAnswer } from './answers.ts';
import { answerFinished, type Finished, finish } from './finished.ts';
import { basisOf, type Listings } from './listings.ts';
import { mediaTypesOf } from './media-types.ts';
import { type ContentCoding, negotiateCoding, negotiateMediaType, remembered } from './negotiation.ts';
import type { Refusals } from './refusals.ts';
import { type Basis, type Derived, type Following, RevisionCache } from './revision-cache.ts';
import type { ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';

type PackageRoute = Extract<Route, { type: 'package' }>;
type ClientTarget = Extract<Target, { type: 'client' }>;
/** A document, or the reason why there is none. */
type Page = { readonly finished: Finished } | { readonly refusal: HttpResponse };

/** What a page takes in memory beside its bytes. */
const PAGE_OVERHEAD_BYTES = 512;
const INDEX_CACHE = 'public, max-age=30';
const VARY = 'Accept, Accept-Encoding';

/** Index pages and other documents, as finished bytes. */
export interface Pages {
  package(target: ClientTarget, what: PackageRoute, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  root(target: ClientTarget, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  /** A document that doesn't depend on what is held. */
  fixed(target: ClientTarget, name: string, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
}
export interface PagePorts {
  readonly ports: ServePorts;
  readonly following: Following;
  readonly listings: Listings;
  readonly refuse: Refusals;
}

export function openPages(open: PagePorts, maxBytes: number): Pages {
  const cache = new RevisionCache<Page>(open.following, maxBytes);
  const codingOf = remembered(negotiateCoding);
  const typesOf = new Map<string, (header: string | undefined) => string | undefined>();
  const mediaTypeOf = (target: ClientTarget, request: HttpRequest) => {
    const types = mediaTypesOf(target);
    const key = types.join();
    const negotiate = typesOf.get(key) ?? remembered((header) => negotiateMediaType(header, types));
    typesOf.set(key, negotiate);
    return negotiate(headerOf(request, 'accept'));
  };
  const serve = (
    target: ClientTarget,
    request: HttpRequest,
    what: { readonly name: string; readonly basis: Basis; readonly render: Render },
  ): HttpResponse | Promise<HttpResponse> => {
    const mediaType = mediaTypeOf(target, request);
    if (mediaType === undefined) return lineAnswer(406, `Granary has ${what.name} as ${mediaTypesOf(target).join(', ')}`, ['vary', VARY]);
    const coding = codingOf(headerOf(request, 'accept-encoding'));
    // Views that are all that somebody reaches have one address.
    const page = cache.get(`${target.viewPath} ${target.address} ${coding} ${mediaType} ${what.name}`, what.basis, () => what.render({ mediaType, coding }));
    return page instanceof Promise ? page.then((late) => answerPage(late, request)) : answerPage(page, request);
  };
  return {
    package(target, { package: packagePurl, document }, request) {
      const name = document === undefined ? packagePurl : `${packagePurl} ${document}`;
      const basis = basisOf(target.view, packagePurl);
      return serve(target, request, { name, basis, render: (as) => renderPackage(open, target, { packagePurl, document, ...as }) });
    },
    root: (target, request) => serve(target, request, { name: 'the index', basis: 'catalog', render: (as) => renderRoot(open.ports, target, as) }),
    fixed: (target, name, request) => serve(target, request, { name, basis: 'fixed', render: (as) => renderFixed(open, target, { name, ...as }) }),
  };
}

interface Representation {
  readonly mediaType: string;
  readonly coding: ContentCoding;
}
type Render = (as: Representation) => Promise<Derived<Page>>;

function answerPage(page: Page, request: HttpRequest): HttpResponse {
  return 'finished' in page ? answerFinished(page.finished, request) : page.refusal;
}

async function renderPackage(
  { ports, listings, refuse }: PagePorts,
  target: ClientTarget,
  what: Representation & { readonly packagePurl: Purl; readonly document: string | undefined },
): Promise<Derived<Page>> {
  const { packagePurl, document, mediaType, coding } = what;
  const holding = listings.holding(target, packagePurl);
  if (holding.quarantine !== undefined) return refusal(refuse.quarantined(packagePurl, holding.quarantine));
  const isShown = holding.files.length > 0 || target.view.type === 'pull';
  const found = isShown ? await listings.of(target, packagePurl) : undefined;
  if (found === undefined) return refusal(refuse.notHeld({ packages: [packagePurl], asked: '' }));
  const { listing, belowPolicy, until, refused } = found;
  // An empty index would only say that there is no such version.
  if (refused !== undefined)
    return { ...refusal(refuse.nothingMeets({ packagePurl, files: belowPolicy, why: refused })), ...(until === undefined ? {} : { until }) };
  const view = await listings.view(listing, target, packagePurl);
  const bytes = target.ecosystem.views.renderPackage(view, mediaType, document);
  if (bytes === undefined) return refusal(refuse.notHeld({ packages: [packagePurl], asked: document ?? '' }));
  const more = [
    ...(listing.reconstructed ? ['granary-state', 'reconstructed'] : []),
    ...(belowPolicy > 0 ? ['granary-policy', `${ports.site.policy.mode}; below=${belowPolicy}`] : []),
  ];
  const finished = await finish(bytes, { mediaType: withCharset(mediaType), coding, cacheControl: INDEX_CACHE, vary: VARY, more });
  return { value: { finished }, sizeBytes: finished.body.length + PAGE_OVERHEAD_BYTES, ...(until === undefined ? {} : { until }) };
}

async function renderFixed(
  { ports, refuse }: PagePorts,
  { ecosystem, address }: ClientTarget,
  { name, mediaType, coding }: Representation & { readonly name: string },
): Promise<Derived<Page>> {
  const bytes = ecosystem.views.renderFixed?.(name, { address, readers: ports.readers === undefined ? 'anyone' : 'registered' });
  if (bytes === undefined) return refusal(refuse.notHeld({ packages: [], asked: name }));
  const finished = await finish(bytes, { mediaType: withCharset(mediaType), coding, cacheControl: INDEX_CACHE, vary: VARY });
  return { value: { finished }, sizeBytes: finished.body.length + PAGE_OVERHEAD_BYTES };
}

async function renderRoot(ports: ServePorts, { ecosystem, view }: ClientTarget, { mediaType, coding }: Representation): Promise<Derived<Page>> {
  const size = view.type === 'as-of' && view.size !== undefined ? { size: view.size } : {};
  const packages = new Set(
    [...ports.catalog.all('stored', { ...size, subjectPrefix: `pkg:${ecosystem.id}/` })].map(({ entry }) => packageOf(toPurl(entry.subject))),
  );
  const bytes = ecosystem.views.renderRoot([...packages].sort(), mediaType);
  const finished = await finish(bytes, { mediaType: withCharset(mediaType), coding, cacheControl: INDEX_CACHE, vary: VARY });
  return { value: { finished }, sizeBytes: finished.body.length + PAGE_OVERHEAD_BYTES };
}

function refusal(response: HttpResponse): Derived<Page> {
  return { value: { refusal: response }, sizeBytes: 1024 };
}

function withCharset(mediaType: string): string {
  return /\bhtml\b/.test(mediaType) ? `${mediaType}; charset=utf-8` : mediaType;
}
