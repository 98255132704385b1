import type { HttpHandler, HttpRequest, HttpResponse } from '@granary/contract/ports';
import { LRUCache } from 'lru-cache';
import { lineAnswer } from './answers.ts';
import { openArtifacts } from './artifacts.ts';
import { answerClient, type ClientParts } from './client-answers.ts';
import { openEvidence } from './evidence.ts';
import { forOneReader, type Gate, openGate } from './gate.ts';
import { openHoldings } from './holdings.ts';
import { openListings } from './listings.ts';
import { openMetrics } from './metrics.ts';
import { openPages } from './pages.ts';
import { refusePost } from './questions.ts';
import { refusals } from './refusals.ts';
import { rememberReads } from './remember-reads.ts';
import { openRepositories, type RepositoryAnswers } from './repositories.ts';
import { followEachTurn } from './revision-cache.ts';
import type { ServePorts } from './serve-ports.ts';
import { type AnswerSite, openSite } from './site-answers.ts';
import { parseTarget, type Target } from './target.ts';
import { type View, viewPath } from './view.ts';

const MEBIBYTE = 2 ** 20;
/** Index documents that were just read. */
const READ_BYTES = 4 * MEBIBYTE;
/** Addresses of clients whose meaning is remembered. */
const REMEMBERED_TARGETS = 16_000;

export interface Serve {
  readonly handle: HttpHandler;
  /** The same site with one view at the root: `/<ecosystem>/…` shows it, and nothing else is answered. Whoever asks reaches it at `origin`, without a slash at the end: documents lead there. */
  only(view: View, origin: string): HttpHandler;
}

/** Answers clients from the catalog and the store. It only reads, and asks nobody. */
export function openServe(ports: ServePorts): Serve {
  const { memory = {}, site } = ports;
  const refuse = refusals(site.publicUrl);
  const following = followEachTurn(ports);
  const holdings = openHoldings(ports.catalog, following, memory.holdingBytes ?? 8 * MEBIBYTE);
  const listings = openListings({ ...ports, blobs: rememberReads(ports.blobs, READ_BYTES) }, following);
  const documentBytes = memory.documentBytes ?? 64 * MEBIBYTE;
  const pages = openPages({ ports, following, listings, refuse }, documentBytes);
  const artifacts = openArtifacts({
    blobs: ports.blobs,
    redirects: ports.redirects,
    maxBytes: { artifacts: memory.artifactBytes ?? 32 * MEBIBYTE, companions: documentBytes / 8 },
  });
  const metrics = openMetrics(ports);
  const evidence = openEvidence({ ports, holdings, following }, documentBytes / 8);
  const client: ClientParts = { ports, holdings, listings, pages, artifacts, evidence, refuse };
  const answerSite = openSite({ ports, holdings, metrics, refuse });
  const understand = openUnderstanding(ports);
  const repositories = ports.repositories && openRepositories(ports, ports.repositories, artifacts);
  const dispatch = openDispatch({ client, answerSite, repositories });
  const answer = (target: Target, request: HttpRequest, gate: Gate | undefined): HttpResponse | Promise<HttpResponse> => {
    const started = performance.now();
    const counted = (response: HttpResponse): HttpResponse => {
      metrics.count(target.type === 'client' ? target.route.type : target.type, response.status, performance.now() - started);
      return gate === undefined ? response : forOneReader(response);
    };
    const response = gate?.refusal(target, request) ?? dispatch(target, request);
    return response instanceof Promise ? response.then(counted) : counted(response);
  };
  const gate = ports.readers && openGate(ports.readers, site.publicUrl);
  // Who reaches `only` was let in by whoever gave it out: a socket of one build.
  return {
    handle: (request) => answer(understand(request.target), request, gate),
    only: (view, origin) => (request) => {
      const target = `/${viewPath(view)}${request.target}`;
      return answer(reachedAt(origin, understand(target)), { ...request, target }, undefined);
    },
  };
}

interface Answerers {
  readonly client: ClientParts;
  readonly answerSite: AnswerSite;
  readonly repositories: RepositoryAnswers | undefined;
}

function openDispatch({ client, answerSite, repositories }: Answerers): (target: Target, request: HttpRequest) => HttpResponse | Promise<HttpResponse> {
  return (target, request) => {
    if (request.method === 'POST' && !isQuestion(target)) return refusePost();
    switch (target.type) {
      case 'client':
        return answerClient(client, target, request);
      case 'repository':
        return repositories?.answer(target, request) ?? lineAnswer(404, `Granary serves no repositories here, see ${client.ports.site.publicUrl}/`);
      case 'site':
        return answerSite(target, request);
      case 'unknown':
        return lineAnswer(400, `Granary can't answer this: ${target.why}, see ${client.ports.site.publicUrl}/`);
    }
  };
}

function isQuestion(target: Target): boolean {
  return target.type === 'repository' || (target.type === 'client' && target.route.type === 'question');
}

function reachedAt(origin: string, target: Target): Target {
  return target.type === 'client' ? { ...target, address: `${origin}/${target.ecosystem.id}` } : target;
}

/** What an address means; what clients ask is remembered. */
function openUnderstanding({ ecosystems, site }: ServePorts): (text: string) => Target {
  const targets = new LRUCache<string, Target>({ max: REMEMBERED_TARGETS });
  return (text) => {
    const known = targets.get(text);
    if (known !== undefined) return known;
    const target = parseTarget(text, { ecosystems, defaultView: { type: site.defaultView }, publicUrl: site.publicUrl });
    if (target.type === 'client') targets.set(text, target);
    return target;
  };
}
