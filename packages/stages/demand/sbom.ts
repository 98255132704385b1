import { EcosystemError } from '@granary/contract/ecosystem';
import { readCycloneDx } from './cyclonedx.ts';
import type { SbomComponent } from './sbom-component.ts';
import { readSpdx } from './spdx.ts';

/** By what the tools that make them call them. Others are recognised by what they hold. */
export function isSbomName(fileName: string): boolean {
  return /(^|\/)s?bom\.json$|[^/]\.(cdx|spdx|bom|sbom)\.json$/i.test(fileName);
}

/** CycloneDX 1.4 to 1.6 or SPDX 2.3, in JSON; undefined when it is something else. Throws EcosystemError `bad-spec` when it is malformed. */
export function readSbom(fileName: string, bytes: Uint8Array): readonly SbomComponent[] | undefined {
  const isNamed = isSbomName(fileName);
  if (!isNamed && !/\.json$/i.test(fileName)) return undefined;
  const document = parseJson(bytes);
  if (typeof document === 'object' && document !== null) {
    if ('bomFormat' in document) return readCycloneDx(fileName, document);
    if ('spdxVersion' in document) return readSpdx(fileName, document);
  }
  if (isNamed) throw new EcosystemError('bad-spec', `${fileName}: expected CycloneDX 1.4 to 1.6 or SPDX 2.3, in JSON`);
  return undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
