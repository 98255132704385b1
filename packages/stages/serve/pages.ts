import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import { type Purl, packageOf, toPurl } from '@granary/core/model';
import { headerOf, lineAnswer } from './answers.ts';
import { answerFinished, type Finished, finish } from './finished.ts';
import { basisOf, type Listings } from './listings.ts';
import { type ContentCoding, negotiateCoding, negotiateMediaType, remembered } from './negotiation.ts';
import type { Refusals } from './refusals.ts';
import { type Derived, type Following, RevisionCache } from './revision-cache.ts';
import type { ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';

type ClientTarget = Extract<Target, { type: 'client' }>;
/** A document, or the reason why there is none. */
type Page = { readonly finished: Finished } | { readonly refusal: HttpResponse };

/** What a page takes in memory beside its bytes. */
const PAGE_OVERHEAD_BYTES = 512;
const INDEX_CACHE = 'public, max-age=30';
const VARY = 'Accept, Accept-Encoding';

/** Index pages and other documents, as finished bytes. */
export interface Pages {
  package(target: ClientTarget, packagePurl: Purl, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
  root(target: ClientTarget, request: HttpRequest): HttpResponse | Promise<HttpResponse>;
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
  const mediaTypeOf = ({ ecosystem, route }: ClientTarget, request: HttpRequest) => {
    const key = `${ecosystem.id} ${route.type}`;
    const negotiate = typesOf.get(key) ?? remembered((header) => negotiateMediaType(header, ecosystem.views.mediaTypes(route)));
    typesOf.set(key, negotiate);
    return negotiate(headerOf(request, 'accept'));
  };
  const serve = (
    target: ClientTarget,
    request: HttpRequest,
    what: { readonly name: string; readonly render: Render },
  ): HttpResponse | Promise<HttpResponse> => {
    const mediaType = mediaTypeOf(target, request);
    if (mediaType === undefined)
      return lineAnswer(406, `Granary has ${what.name} as ${target.ecosystem.views.mediaTypes(target.route).join(', ')}`, ['vary', VARY]);
    const coding = codingOf(headerOf(request, 'accept-encoding'));
    const basis = what.name === 'the index' ? 'catalog' : basisOf(target.view, what.name);
    const page = cache.get(`${target.viewPath} ${coding} ${mediaType} ${target.ecosystem.id} ${what.name}`, basis, () => what.render({ mediaType, coding }));
    return page instanceof Promise ? page.then((late) => answerPage(late, request)) : answerPage(page, request);
  };
  return {
    package: (target, packagePurl, request) =>
      serve(target, request, { name: packagePurl, render: (as) => renderPackage(open, target, { packagePurl, ...as }) }),
    root: (target, request) => serve(target, request, { name: 'the index', render: (as) => renderRoot(open.ports, target, as) }),
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
  what: Representation & { readonly packagePurl: Purl },
): Promise<Derived<Page>> {
  const { packagePurl, mediaType, coding } = what;
  const holding = listings.holding(target, packagePurl);
  if (holding.quarantine !== undefined) return refusal(refuse.quarantined(packagePurl, holding.quarantine));
  const found = holding.files.length === 0 ? undefined : await listings.of(target, packagePurl);
  if (found === undefined) return refusal(refuse.notHeld({ packages: [packagePurl], asked: '' }));
  const { listing, belowPolicy, until } = found;
  const view = await listings.view(listing, target, packagePurl);
  const bytes = target.ecosystem.views.renderPackage(view, mediaType);
  const more = [
    ...(listing.reconstructed ? ['granary-state', 'reconstructed'] : []),
    ...(belowPolicy > 0 ? ['granary-policy', `${ports.site.policy.mode}; below=${belowPolicy}`] : []),
  ];
  const finished = await finish(bytes, { mediaType: withCharset(mediaType), coding, cacheControl: INDEX_CACHE, vary: VARY, more });
  return { value: { finished }, sizeBytes: finished.body.length + PAGE_OVERHEAD_BYTES, ...(until === undefined ? {} : { until }) };
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
