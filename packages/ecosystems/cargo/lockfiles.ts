import { EcosystemError, type LockedPin, readToml } from '@granary/contract/ecosystem';
import { parseSha256 } from '@granary/core/model';
import { z } from 'zod';
import { isCrateName, isVersion } from './names.ts';

/** What a Cargo.lock names: crates of a registry, and what lies elsewhere. */
export interface Locked {
  readonly pins: readonly LockedPin[];
  readonly notCovered: readonly string[];
}

const Package = z.object({
  name: z.string().max(256),
  version: z.string().max(256),
  source: z.string().max(4096).optional(),
  checksum: z.string().max(256).optional(),
});
type Package = z.output<typeof Package>;
const CargoLock = z.object({
  version: z.number().int().optional(),
  package: z.array(Package).max(50_000).default([]),
  metadata: z.record(z.string(), z.unknown()).default({}),
});
const NEWEST_FORMAT = 4;

/** Cargo.lock, formats 1 to 4. What has no source is the project's own, or lies in a folder beside it. */
export function lockedByCargo(fileName: string, text: string): Locked {
  const lock = readLock(fileName, text);
  const packages = lock.package.filter((entry): entry is Package & { readonly source: string } => entry.source !== undefined);
  const isListed = ({ source }: { readonly source: string }) => /^(registry|sparse)\+/.test(source);
  return {
    pins: packages.filter(isListed).map((entry) => toPin(fileName, entry, entry.checksum ?? checksumIn(lock.metadata, entry))),
    notCovered: packages.filter((entry) => !isListed(entry)).map(elsewhere),
  };
}

function readLock(fileName: string, text: string): z.output<typeof CargoLock> {
  const lock = readToml(fileName, text, CargoLock);
  const { version = 1 } = lock;
  if (version > NEWEST_FORMAT) throw new EcosystemError('unsupported', `${fileName}: format ${version}; 1 to ${NEWEST_FORMAT} can be read`);
  return lock;
}

/** Format 1 has the checksums in a table of their own. */
function checksumIn(metadata: Readonly<Record<string, unknown>>, { name, version, source }: Package): string | undefined {
  const checksum = metadata[`checksum ${name} ${version} (${source})`];
  return typeof checksum === 'string' ? checksum : undefined;
}

function toPin(fileName: string, { name, version }: Package, checksum: string | undefined): LockedPin {
  if (!isCrateName(name) || !isVersion(version)) {
    throw new EcosystemError('bad-spec', `${fileName}: ${JSON.stringify(`${name} ${version}`.slice(0, 120))} is no crate of a registry`);
  }
  const sha256 = parseSha256(checksum ?? '');
  // Without one, any bytes under the name would do: that is another promise than a lock's.
  if (sha256 === undefined) throw new EcosystemError('bad-spec', `${fileName}: ${name} ${version} has no checksum`);
  return { name, version, digests: [{ sha256 }] };
}

/** Without what an address may hold of secrets. */
function elsewhere({ name, version, source }: { readonly name: string; readonly version: string; readonly source: string }): string {
  const [, kind = 'somewhere', address = ''] = /^([a-z-]+)\+(.*)$/s.exec(source) ?? [];
  const url = URL.parse(address);
  return `${name} ${version}: comes from ${kind}${url === null ? '' : ` ${url.protocol}//${url.host}${url.pathname}`}, not from a registry`;
}
