import { EcosystemError } from '@granary/contract/ecosystem';
import { parseAllDocuments, YAMLError } from 'yaml';
import { z } from 'zod';
import { acceptedDigests } from '../integrity.ts';
import { collectPins, type Locked, type LockedPins, packageOfTarball } from './locked-pins.ts';

const Text = z.string().max(4096).optional();
const Entry = z.object({ resolution: z.object({ integrity: Text, tarball: Text, type: Text, repo: Text, directory: Text }) });
const Lock = z.object({
  lockfileVersion: z.union([z.string(), z.number()]).transform((version) => Number.parseFloat(String(version))),
  packages: z.record(z.string().max(4096), Entry).nullish(),
});
const OLDEST = 5;
const NEWEST = 9;
/** None are written; each may stand for many. */
const MAX_ALIASES = 0;

/** pnpm-lock.yaml of format 5 to 9. pnpm 11 puts what it needs itself into a document before. */
export function pinsOfPnpmLock(fileName: string, text: string): Locked {
  const pins = collectPins(fileName);
  for (const { lockfileVersion, packages } of readDocuments(fileName, text)) {
    if (!(lockfileVersion >= OLDEST && lockfileVersion < NEWEST + 1))
      throw new EcosystemError('unsupported', `${fileName}: lockfileVersion ${lockfileVersion}, expected ${OLDEST} to ${NEWEST}`);
    for (const [key, { resolution }] of Object.entries(packages ?? {})) addEntry(pins, releaseOf(key, lockfileVersion), resolution);
  }
  return pins.result();
}

function readDocuments(fileName: string, text: string): readonly z.output<typeof Lock>[] {
  let values: readonly unknown[];
  try {
    values = [...parseAllDocuments(text, { strict: true, uniqueKeys: true })].map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS({ maxAliasCount: MAX_ALIASES });
    });
  } catch (cause) {
    if (cause instanceof YAMLError || cause instanceof ReferenceError || cause instanceof RangeError)
      throw new EcosystemError('bad-spec', `${fileName}: not YAML that pnpm writes: ${cause.message.split('\n', 1)[0]?.slice(0, 200)}`, { cause });
    throw cause;
  }
  return values.map((value) => {
    const lock = Lock.safeParse(value);
    if (!lock.success) throw new EcosystemError('bad-spec', `${fileName}: ${z.prettifyError(lock.error).slice(0, 1000)}`);
    return lock.data;
  });
}

interface Release {
  readonly key: string;
  readonly name?: string;
  readonly version?: string;
}

/** `/name/1.0.0_peers` (5), `/name@1.0.0(peers)` (6), `name@1.0.0` (9). What comes from elsewhere has its address for a version. */
function releaseOf(key: string, lockfileVersion: number): Release {
  const pattern =
    lockfileVersion < 6 ? /^\/((?:@[^/]+\/)?[^/@]+)\/([^/_(]+)/ : lockfileVersion < 9 ? /^\/((?:@[^/]+\/)?[^/@]+)@([^/(]+)/ : /^((?:@[^/]+\/)?[^/@]+)@([^(]+)/;
  const [, name, version] = pattern.exec(key) ?? [];
  return { key, ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) };
}

function addEntry(pins: LockedPins, { key, name, version }: Release, { integrity, tarball, type, directory }: z.output<typeof Entry>['resolution']): void {
  // A folder of the project itself, packed into place.
  if (type === 'directory' || directory !== undefined) return;
  const isElsewhere = type !== undefined || (tarball !== undefined && packageOfTarball(tarball) === undefined) || integrity === undefined;
  if (isElsewhere || name === undefined || version === undefined || version.includes(':')) pins.leaveOut(key);
  else pins.add(name, version, acceptedDigests(integrity));
}
