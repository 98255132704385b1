import type { HttpRequest, HttpResponse } from '@granary/contract/ports';
import { parsePurl } from '@granary/core/model';
import { lineAnswer } from './answers.ts';
import { openApi } from './api/answer-api.ts';
import type { Holdings } from './holdings.ts';
import { indexPage } from './html/index-page.ts';
import { releasePage } from './html/release-page.ts';
import { answerLedger } from './ledger-files.ts';
import type { Metrics } from './metrics.ts';
import { openOverview } from './overview.ts';
import type { Refusals } from './refusals.ts';
import type { ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';

type SiteTarget = Extract<Target, { type: 'site' }>;
export interface SiteParts {
  readonly ports: ServePorts;
  readonly holdings: Holdings;
  readonly metrics: Metrics;
  readonly refuse: Refusals;
}
export type AnswerSite = (target: SiteTarget, request: HttpRequest) => Promise<HttpResponse>;

/** Everything that isn't asked by package managers. */
export function openSite({ ports, holdings, metrics, refuse }: SiteParts): AnswerSite {
  const overview = openOverview(ports);
  const api = openApi({ ports, holdings, overview });
  return async ({ segments, query }, request) => {
    const [first = '', ...rest] = segments;
    switch (first) {
      case '':
        return indexPage(ports, overview());
      case 'ledger':
        return await answerLedger(ports.objects, ports.site.origin, { path: rest.join('/'), request });
      case 'api':
        return rest[0] === 'v1' ? await api(rest.slice(1), query) : lineAnswer(404, 'Granary has its interface at /api/v1');
      case 'releases': {
        const purl = parsePurl(rest.join('/'));
        const page = purl && (await releasePage(ports, holdings, purl));
        return page ?? refuse.notHeld({ packages: purl === undefined ? [] : [purl], asked: '' });
      }
      case 'healthz':
        return plain('ok\n');
      case 'readyz':
        return readiness(ports.notReady());
      case 'metrics': {
        const { text, contentType } = await metrics.text();
        return plain(text, contentType);
      }
      default:
        return refuse.notHeld({ packages: [], asked: `/${segments.join('/')}` });
    }
  };
}

function readiness(reasons: readonly string[]): HttpResponse {
  return reasons.length === 0 ? plain('ready\n') : lineAnswer(503, `Granary is not ready: ${reasons.join('; ')}`);
}

function plain(text: string, contentType = 'text/plain; charset=utf-8'): HttpResponse {
  const body = Buffer.from(text);
  return {
    status: 200,
    body,
    headers: ['content-type', contentType, 'content-length', String(body.length), 'cache-control', 'no-store', 'x-content-type-options', 'nosniff'],
  };
}
