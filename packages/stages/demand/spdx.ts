import { EcosystemError } from '@granary/contract/ecosystem';
import { z } from 'zod';
import { digestOf, filesOf, labelOf, MAX_COMPONENTS, MAX_TEXT, type SbomComponent } from './sbom-component.ts';

const Text = z.string().max(MAX_TEXT);
const Package = z.object({
  SPDXID: Text,
  name: Text,
  versionInfo: Text.optional(),
  externalRefs: z
    .array(z.object({ referenceType: Text, referenceLocator: Text }))
    .max(10_000)
    .default([]),
  checksums: z
    .array(z.object({ algorithm: Text, checksumValue: Text }))
    .max(64)
    .default([]),
});
type Package = z.output<typeof Package>;
const Document = z.object({
  spdxVersion: z.literal('SPDX-2.3'),
  packages: z.array(Package).max(MAX_COMPONENTS).default([]),
  documentDescribes: z.array(Text).max(MAX_COMPONENTS).default([]),
  relationships: z
    .array(z.object({ spdxElementId: Text, relatedSpdxElement: Text, relationshipType: Text }))
    .max(1_000_000)
    .default([]),
});

/** Every package but the product itself. Throws EcosystemError `bad-spec`. */
export function readSpdx(fileName: string, document: object): readonly SbomComponent[] {
  const parsed = Document.safeParse(document);
  if (!parsed.success) {
    const { path = [], message = '' } = parsed.error.issues[0] ?? {};
    throw new EcosystemError('bad-spec', `${fileName}: not SPDX 2.3: ${path.join('.')}: ${message}`);
  }
  const product = productOf(parsed.data);
  return parsed.data.packages.filter(({ SPDXID }) => SPDXID !== product).flatMap(toComponents);
}

/** The one package that a document of several describes (SPDX 2.3, 11.1); a document may as well describe all of them. */
function productOf({ packages, documentDescribes, relationships }: z.output<typeof Document>): string | undefined {
  const described = new Set(documentDescribes);
  for (const { spdxElementId, relatedSpdxElement, relationshipType } of relationships) {
    if (relationshipType === 'DESCRIBES' && spdxElementId === 'SPDXRef-DOCUMENT') described.add(relatedSpdxElement);
    if (relationshipType === 'DESCRIBED_BY' && relatedSpdxElement === 'SPDXRef-DOCUMENT') described.add(spdxElementId);
  }
  const [product] = described;
  return described.size === 1 && packages.length > 1 ? product : undefined;
}

/** Checksums are of the file at the download location (SPDX 2.3, 7.10): that of the registry, when the package is named by purl. */
function toComponents({ name, versionInfo, externalRefs, checksums }: Package): readonly SbomComponent[] {
  const purls = externalRefs.filter(({ referenceType }) => referenceType === 'purl').map(({ referenceLocator }) => referenceLocator);
  if (purls.length === 0) return [{ label: labelOf('package', name, versionInfo), digests: [] }];
  const digests = filesOf(checksums.flatMap(({ algorithm, checksumValue }) => digestOf(algorithm, checksumValue) ?? []));
  return purls.map((purl) => ({ label: labelOf(purl), purl, digests }));
}
