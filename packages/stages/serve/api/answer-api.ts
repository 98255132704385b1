import type { HttpResponse } from '@granary/contract/ports';
import { jsonAnswer } from '../answers.ts';
import { openApiDocument } from './openapi.ts';
import { matchRoute } from './route-table.ts';
import { type ApiParts, apiRoutes } from './routes.ts';

export type AnswerApi = (segments: readonly string[], query: URLSearchParams) => Promise<HttpResponse>;

/** Everything below /api/v1. */
export function openApi(parts: ApiParts): AnswerApi {
  const { publicUrl } = parts.ports.site;
  const routes = apiRoutes(parts);
  const document = openApiDocument(routes, publicUrl);
  return async (segments, query) => {
    if (segments.length === 1 && segments[0] === 'openapi.json') return jsonAnswer(document);
    const matched = matchRoute(routes, segments, query);
    switch (matched.type) {
      case 'bad':
        return jsonAnswer({ error: matched.why }, 400);
      case 'none':
        return jsonAnswer({ error: `no such address, see ${publicUrl}/api/v1/openapi.json` }, 404);
      case 'route':
        return (await matched.route.answer(matched.asked)) ?? jsonAnswer({ error: 'nothing of that name is held' }, 404);
    }
  };
}
