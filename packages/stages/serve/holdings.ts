import type { Catalog } from '@granary/contract/ports';
import type { Purl } from '@granary/core/model';
import { type HeldFile, type Holding, readHolding } from './holding.ts';
import { type Following, RevisionCache } from './revision-cache.ts';

/** Roughly what one held file takes in memory. */
const FILE_BYTES = 2048;

/** Holdings of packages as they are now, kept while no fact changes them. */
export interface Holdings {
  of(packagePurl: Purl): Holding;
  /** The file that a client's path names, and the holding it is part of. */
  find(
    packages: readonly Purl[],
    wanted: { readonly path: string } | { readonly fileName: string },
  ): { readonly holding: Holding; readonly file: HeldFile } | undefined;
}

export function openHoldings(catalog: Catalog, following: Following, maxBytes: number): Holdings {
  const cache = new RevisionCache<Holding>(following, maxBytes);
  const of = (packagePurl: Purl): Holding => {
    const holding = cache.get(packagePurl, { package: packagePurl }, () => {
      const value = readHolding(catalog, packagePurl);
      return { value, sizeBytes: (value.files.length + 1) * FILE_BYTES };
    });
    // Derived at once, never later.
    if (holding instanceof Promise) throw new TypeError('a holding is read synchronously');
    return holding;
  };
  return {
    of,
    find(packages, wanted) {
      for (const packagePurl of packages) {
        const holding = of(packagePurl);
        const file = 'path' in wanted ? holding.byPath.get(wanted.path) : holding.files.findLast(({ fileName }) => fileName === wanted.fileName);
        if (file !== undefined) return { holding, file };
      }
      return undefined;
    },
  };
}
