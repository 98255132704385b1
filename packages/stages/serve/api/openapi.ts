import { z } from 'zod';
import type { ApiRoute } from './route-table.ts';
import { EvidenceItem, FactReference, Problem } from './schemas.ts';

const PARAMETERS: Readonly<Record<string, string>> = {
  sha256: 'SHA-256, lower-case hexadecimal',
  purl: 'Package URL; its slashes may be escaped or not',
};

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12: made from what the routes are typed by. */
export function openApiDocument(routes: readonly ApiRoute[], publicUrl: string): object {
  const registry = z.registry<{ id: string }>();
  for (const schema of new Set([Problem, FactReference, EvidenceItem, ...routes.map(({ response }) => response)]))
    registry.add(schema, { id: schema.meta()?.id ?? 'Document' });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'input' });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Granary',
      version: '1',
      description: 'Where artifacts came from, what rebuilding them showed, and who signed that.',
      license: { name: 'EUPL-1.2' },
    },
    servers: [{ url: `${publicUrl}/api/v1` }],
    paths: Object.fromEntries(routes.map((route) => [route.path, { get: operation(route) }])),
    components: { schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutId(schema)])) },
  };
}

function operation({ path, operationId, summary, query = {}, response, mediaType = 'application/json' }: ApiRoute): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: PARAMETERS[name],
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({ name, in: 'query', required: false, description, schema: { type: 'string' } }));
  const problem = (description: string) => ({ description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } } });
  return {
    operationId,
    summary,
    parameters: [...inPath, ...inQuery],
    responses: {
      200: { description: summary, content: { [mediaType]: { schema: { $ref: `#/components/schemas/${response.meta()?.id}` } } } },
      ...(inPath.length === 0 ? {} : { 400: problem('A parameter is not one'), 404: problem('There is none of that name') }),
    },
  };
}

function withoutId(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$id' && name !== '$schema'));
}
