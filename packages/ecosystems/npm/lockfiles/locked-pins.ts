import { EcosystemError, type LockedPin } from '@granary/contract/ecosystem';
import type { Digests } from '@granary/core/model';
import { isPackageName, isTarballName, isVersion } from '../names.ts';

/** What a lock names. `notCovered`: what lies in no registry, one line each. */
export interface Locked {
  readonly pins: readonly LockedPin[];
  readonly notCovered: readonly string[];
}

/** Collects what a lock names: a release once, however often it is named. */
export interface LockedPins {
  add(name: string, version: string, digests: readonly Digests[]): void;
  /** It lies in no registry: `what`, for people. */
  leaveOut(what: string): void;
  result(): Locked;
}

const MAX_ENTRIES = 200_000;
const MAX_LINE_LENGTH = 300;

/** Throws EcosystemError `bad-spec` when a lock names more than any project has. */
export function collectPins(fileName: string): LockedPins {
  const pins = new Map<string, { readonly name: string; readonly version: string; readonly digests: Map<string, Digests> }>();
  const notCovered = new Set<string>();
  let entries = 0;
  const count = () => {
    if (++entries > MAX_ENTRIES) throw new EcosystemError('bad-spec', `${fileName}: more than ${MAX_ENTRIES} entries`);
  };
  const leaveOut = (what: string) => {
    count();
    notCovered.add(what.replace(/\p{Cc}+/gu, '?').slice(0, MAX_LINE_LENGTH));
  };
  return {
    add(name, version, digests) {
      if (!isPackageName(name) || !isVersion(version)) return leaveOut(`${name}@${version}: no name and version that a registry has`);
      count();
      const key = `${name}@${version}`;
      const pin = pins.get(key) ?? { name, version, digests: new Map() };
      for (const stated of digests) pin.digests.set(JSON.stringify(stated), stated);
      pins.set(key, pin);
    },
    leaveOut,
    result: () => ({
      pins: [...pins].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { name, version, digests }]) => ({ name, version, digests: [...digests.values()] })),
      notCovered: [...notCovered].sort(),
    }),
  };
}

/** The package whose tarball an address of a registry names, `…/@scope/name/-/name-1.2.3.tgz`; undefined for any other address. */
export function packageOfTarball(address: string): string | undefined {
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  const path = url.pathname.replace(/%2f/gi, '/').replace(/%40/g, '@');
  const [, name = '', fileName = ''] = /\/((?:@[^/]+\/)?[^/]+)\/-\/([^/]+)$/.exec(path) ?? [];
  return isPackageName(name) && isTarballName(fileName) ? name : undefined;
}

/** A folder of the project itself, `file:packages/a`, and not an archive: it needs nothing. */
export function isFolder(reference: string): boolean {
  return /^(file|link):/.test(reference) && !/\.(tgz|tar|tar\.gz)(#|:|$)/.test(reference);
}
