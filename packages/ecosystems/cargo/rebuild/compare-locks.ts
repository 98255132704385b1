import { EcosystemError, readToml } from '@granary/contract/ecosystem';
import { z } from 'zod';

const MAX_BYTES = 4 * 2 ** 20;
const Package = z.object({ name: z.string(), version: z.string(), source: z.string().optional(), checksum: z.string().optional() });
const CargoLock = z.object({ package: z.array(Package).max(50_000).default([]), metadata: z.record(z.string(), z.unknown()).default({}) });
type Package = z.output<typeof Package>;

/**
 * Do two locks of one package differ in nothing but the versions that its dependencies came to? Each of them has to be of one registry, the same for both, and a version that both
 * name has to be of the same bytes. Untrusted.
 */
export function lockedAlike(one: string, other: string): boolean {
  const [a, b] = [readLock(one), readLock(other)];
  if (a === undefined || b === undefined) return false;
  const sources = new Set([...a, ...b].flatMap(({ source }) => source ?? []));
  const own = (packages: readonly Package[]) => packages.filter(({ source }) => source === undefined).map(({ name, version }) => `${name} ${version}`);
  const isOfRegistry = [...sources].every((source) => /^(?:registry|sparse)\+/.test(source));
  return isOfRegistry && sources.size <= 1 && own(a).length === 1 && own(a).join() === own(b).join() && sameBytes(a, b);
}

function sameBytes(one: readonly Package[], other: readonly Package[]): boolean {
  const known = new Map(one.map(({ name, version, checksum }) => [`${name} ${version}`, checksum]));
  return other.every(({ name, version, checksum }) => !known.has(`${name} ${version}`) || known.get(`${name} ${version}`) === checksum);
}

/** Of format 1 the checksums stand in a table of their own. */
function readLock(text: string): readonly Package[] | undefined {
  if (text.length > MAX_BYTES) return undefined;
  try {
    const { package: packages, metadata } = readToml('Cargo.lock', text, CargoLock);
    return packages.map((one) => {
      const checksum = one.checksum ?? metadata[`checksum ${one.name} ${one.version} (${one.source})`];
      return typeof checksum === 'string' ? { ...one, checksum } : one;
    });
  } catch (error) {
    if (error instanceof EcosystemError) return undefined;
    throw error;
  }
}
