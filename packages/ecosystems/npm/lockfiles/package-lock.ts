import { EcosystemError } from '@granary/contract/ecosystem';
import { z } from 'zod';
import { acceptedDigests } from '../integrity.ts';
import { asObject, parseObject } from '../schema.ts';
import { collectPins, isFolder, type Locked, type LockedPins, packageOfTarball } from './locked-pins.ts';

const Text = z.string().max(4096).optional();
/** `packages` of versions 2 and 3. */
const Package = z.object({
  name: Text,
  version: Text,
  resolved: z.union([Text, z.boolean()]),
  integrity: Text,
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
});
/** `dependencies` of version 1. */
const Dependency = z.object({
  version: z.string().max(4096),
  resolved: z.union([Text, z.boolean()]),
  integrity: Text,
  bundled: z.boolean().optional(),
  dependencies: z.unknown().optional(),
});

/** package-lock.json and npm-shrinkwrap.json, versions 1 to 3. Version 2 says everything twice: `packages` counts, as for npm. */
export function pinsOfPackageLock(fileName: string, text: string): Locked {
  const lock = readLock(fileName, text);
  const version = lock['lockfileVersion'];
  if (version !== 1 && version !== 2 && version !== 3)
    throw new EcosystemError('unsupported', `${fileName}: lockfileVersion ${JSON.stringify(version)?.slice(0, 20)}, expected 1, 2 or 3`);
  const pins = collectPins(fileName);
  const packages = asObject(lock['packages']);
  if (packages !== undefined) {
    for (const [location, value] of Object.entries(packages)) addPackage(pins, location, readEntry(fileName, { location, value, schema: Package }));
  } else addDependencies(pins, fileName, lock['dependencies']);
  return pins.result();
}

function readLock(fileName: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parseObject(new TextEncoder().encode(text), fileName);
  } catch (cause) {
    if (cause instanceof EcosystemError) throw new EcosystemError('bad-spec', cause.message, { cause });
    throw cause;
  }
}

/** `''`, `packages/a`: the project and its own workspaces. `node_modules/a/node_modules/b`: what is installed there. */
function addPackage(pins: LockedPins, location: string, entry: z.output<typeof Package>): void {
  const at = location.lastIndexOf('node_modules/');
  if (at === -1 || entry.link === true || entry.inBundle === true) return;
  const name = entry.name ?? location.slice(at + 'node_modules/'.length);
  addEntry(pins, { name, version: entry.version ?? '', resolved: entry.resolved, integrity: entry.integrity });
}

/** Depth first would let a hostile lock end the process: a list of what is still to be read. */
function addDependencies(pins: LockedPins, fileName: string, top: unknown): void {
  const open = [top];
  while (open.length > 0) {
    for (const [location, value] of Object.entries(asObject(open.pop()) ?? {})) {
      const entry = readEntry(fileName, { location, value, schema: Dependency });
      open.push(entry.dependencies);
      if (entry.bundled === true) continue;
      const [, aliased, version] = /^npm:(.+)@([^@]+)$/.exec(entry.version) ?? [];
      addEntry(pins, { name: aliased ?? location, version: version ?? entry.version, resolved: entry.resolved, integrity: entry.integrity });
    }
  }
}

interface LockEntry {
  readonly name: string;
  readonly version: string;
  readonly resolved: string | boolean | undefined;
  readonly integrity: string | undefined;
}

/** Without `resolved` (npm's `omit-lockfile-registry-resolved`) it is a release of whatever registry is set. */
function addEntry(pins: LockedPins, { name, version, resolved, integrity }: LockEntry): void {
  if (typeof resolved !== 'string' && isFolder(version)) return;
  const isElsewhere = typeof resolved === 'string' && packageOfTarball(resolved) === undefined;
  // Version 1 has the address where the version would be.
  if (isElsewhere || version.includes(':') || version.includes('/')) pins.leaveOut(`${name}: ${typeof resolved === 'string' ? resolved : version}`);
  else pins.add(typeof resolved === 'string' ? (packageOfTarball(resolved) ?? name) : name, version, acceptedDigests(integrity));
}

interface Located<T> {
  readonly location: string;
  readonly value: unknown;
  readonly schema: z.ZodType<T>;
}

function readEntry<T>(fileName: string, { location, value, schema }: Located<T>): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new EcosystemError('bad-spec', `${fileName}: ${JSON.stringify(location.slice(0, 200))}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
