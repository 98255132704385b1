import { formatPurl, type Purl } from '@granary/core/model';
import type { ListedPackage } from './packages-index.ts';

/** `bash_5.2.15-2+b8_amd64.deb`: as in the pool, where the epoch is left out. */
export function fileName({ path }: Pick<ListedPackage, 'path'>): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The purl of one .deb; the namespace is the vendor, as the archive's `Origin` says it. */
export function debPurl(listed: ListedPackage, origin: string): Purl {
  return formatPurl({
    type: 'deb',
    namespace: origin.toLowerCase().replace(/[^a-z0-9.-]+/g, '-'),
    name: listed.name,
    version: listed.version,
    fileName: fileName(listed),
  });
}
