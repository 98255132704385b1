import { EcosystemError } from '@granary/contract/ecosystem';
import { z } from 'zod';
import { digestOf, filesOf, labelOf, MAX_COMPONENTS, MAX_TEXT, type SbomComponent } from './sbom-component.ts';

const Text = z.string().max(MAX_TEXT);
const Hash = z.object({ alg: Text, content: Text });
/** Components hold components: those are read one after the other, because a schema that calls itself is as deep as its input. */
const Component = z.object({
  type: Text.optional(),
  group: Text.optional(),
  name: Text.optional(),
  version: Text.optional(),
  purl: Text.optional(),
  externalReferences: z
    .array(z.object({ type: Text, hashes: z.array(Hash).max(64).optional() }))
    .max(10_000)
    .optional(),
  components: z.array(z.unknown()).max(MAX_COMPONENTS).optional(),
});
type Component = z.output<typeof Component>;
/** What it describes itself (`metadata.component`) is the product, not one of its parts. */
const Bom = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.enum(['1.4', '1.5', '1.6']),
  components: z.array(z.unknown()).max(MAX_COMPONENTS).default([]),
});
const MAX_DEPTH = 64;

/** Every component, whatever it lies in. Throws EcosystemError `bad-spec`. */
export function readCycloneDx(fileName: string, document: object): readonly SbomComponent[] {
  const waiting = parse(fileName, Bom, document).components.map((value) => ({ value, depth: 1 }));
  waiting.reverse();
  const found: SbomComponent[] = [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const component = parse(fileName, Component, next.value);
    found.push(toComponent(component));
    for (const value of component.components ?? []) waiting.push({ value, depth: next.depth + 1 });
    if (next.depth > MAX_DEPTH) throw new EcosystemError('bad-spec', `${fileName}: components in components, more than ${MAX_DEPTH} deep`);
    if (found.length + waiting.length > MAX_COMPONENTS) throw new EcosystemError('bad-spec', `${fileName}: more than ${MAX_COMPONENTS} components`);
  }
  return found;
}

/** Only the hashes of a distribution are of the file that a registry has: a component's own may be of what was installed, or of its sources. */
function toComponent({ type, group, name, version, purl, externalReferences = [] }: Component): SbomComponent {
  const files = externalReferences.filter((reference) => reference.type === 'distribution');
  const digests = files.flatMap(({ hashes = [] }) => filesOf(hashes.flatMap(({ alg, content }) => digestOf(alg, content) ?? [])));
  return { label: purl === undefined ? labelOf(type, group, name, version) : labelOf(purl), digests, ...(purl === undefined ? {} : { purl }) };
}

function parse<T>(fileName: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path = [], message = '' } = parsed.error.issues[0] ?? {};
  throw new EcosystemError('bad-spec', `${fileName}: not CycloneDX 1.4 to 1.6: ${path.join('.')}: ${message}`);
}
