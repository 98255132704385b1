import { EcosystemError } from '@granary/contract/ecosystem';
import { isJsonDeeperThan } from '@granary/core/model';
import { z } from 'zod';

/** Of a version's manifest: where its tarball lies and what is said of it. */
export const Dist = z.object({
  tarball: z.string().max(4096),
  integrity: z.string().max(4096).nullish(),
  shasum: z.string().max(128).nullish(),
  signatures: z
    .array(z.object({ keyid: z.string().max(256), sig: z.string().max(1024) }))
    .max(16)
    .nullish(),
  attestations: z.object({ url: z.string().max(4096) }).nullish(),
});
export type Dist = z.output<typeof Dist>;

/** As it was sent: what only passes through isn't looked at. */
export type RawManifest = Readonly<Record<string, unknown>>;

/** No manifest comes near it; beyond, writing it again would end the process. */
export const MAX_DEPTH = 200;

/** A JSON object; throws EcosystemError `malformed` on anything else. */
export function parseObject(bytes: Uint8Array, what: string): RawManifest {
  if (isJsonDeeperThan(bytes, MAX_DEPTH)) throw new EcosystemError('malformed', `${what}: nested deeper than ${MAX_DEPTH}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new EcosystemError('malformed', `${what}: not JSON`, { cause });
  }
  const object = asObject(value);
  if (object === undefined) throw new EcosystemError('malformed', `${what}: not a JSON object`);
  return object;
}

export function asObject(value: unknown): RawManifest | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is RawManifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
