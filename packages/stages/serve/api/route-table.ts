import type { HttpResponse } from '@granary/contract/ports';
import { type Purl, parsePurl, parseSha256, type Sha256 } from '@granary/core/model';
import type { z } from 'zod';

/** One address of the interface: what answers it, and what the OpenAPI document says of it. */
export interface ApiRoute {
  /** `/artifacts/{sha256}/bundles`; `{purl}` takes everything that is left. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly response: z.ZodType;
  readonly mediaType?: string;
  /** Undefined: there is none of that name. */
  readonly answer: (asked: Asked) => Promise<HttpResponse | undefined> | HttpResponse | undefined;
}
interface Asked {
  readonly sha256: Sha256;
  readonly purl: Purl;
  readonly query: URLSearchParams;
}

export type Matched =
  | { readonly type: 'route'; readonly route: ApiRoute; readonly asked: Asked }
  | { readonly type: 'bad'; readonly why: string }
  | { readonly type: 'none' };

/** The route of a decoded path below /api/v1, with its parameters parsed. */
export function matchRoute(routes: readonly ApiRoute[], segments: readonly string[], query: URLSearchParams): Matched {
  for (const route of routes) {
    const parameters = parametersOf(route.path.slice(1).split('/'), segments);
    if (parameters === undefined) continue;
    const sha256 = parseSha256(parameters.get('sha256') ?? '');
    const purl = parsePurl(parameters.get('purl') ?? '');
    if (parameters.has('sha256') && sha256 === undefined) return { type: 'bad', why: 'expected a sha256 of 64 lower-case hexadecimal digits' };
    if (parameters.has('purl') && purl === undefined) return { type: 'bad', why: 'expected a package URL, such as pkg:pypi/click@8.1.7' };
    return { type: 'route', route, asked: { sha256: sha256 ?? NO_DIGEST, purl: purl ?? NO_PURL, query } };
  }
  return { type: 'none' };
}

// Stand in where a route has no such parameter: nothing is ever stored under them.
const NO_DIGEST = parseSha256('0'.repeat(64)) ?? unreachable();
const NO_PURL = parsePurl('pkg:generic/none') ?? unreachable();

function unreachable(): never {
  throw new TypeError('a constant that parses');
}

function parametersOf(template: readonly string[], segments: readonly string[]): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  for (const [index, part] of template.entries()) {
    const segment = segments[index];
    if (segment === undefined || segment === '') return undefined;
    if (part === '{purl}') {
      parameters.set('purl', segments.slice(index).join('/'));
      return parameters;
    }
    if (part.startsWith('{')) parameters.set(part.slice(1, -1), segment);
    else if (part !== segment) return undefined;
  }
  return segments.length === template.length ? parameters : undefined;
}
