import type { DatabaseSync } from 'node:sqlite';

const MAX_REMEMBERED = 50_000;

/** How much was folded, in all and about one package: remembered, because every request asks. */
export interface Revisions {
  all(): number;
  ofPackage(packagePurl: string): number;
  /** Call after each fold of this connection; those of other processes are noticed. */
  forget(): void;
}

export function countRevisions(database: DatabaseSync): Revisions {
  const changes = database.prepare('PRAGMA data_version');
  const folded = database.prepare('SELECT coalesce(sum(size), 0) AS folded FROM ledgers');
  const ofPackage = database.prepare('SELECT count(*) AS folded FROM facts INDEXED BY by_package WHERE package = ?');
  const packages = new Map<string, number>();
  let total: number | undefined;
  let seen: unknown;

  function forget(): void {
    packages.clear();
    total = undefined;
  }

  function noticeOthers(): void {
    const version = changes.get()?.['data_version'];
    if (version !== seen) forget();
    seen = version;
  }

  return {
    forget,
    all() {
      noticeOthers();
      total ??= Number(folded.get()?.['folded'] ?? 0);
      return total;
    },
    ofPackage(packagePurl) {
      noticeOthers();
      const known = packages.get(packagePurl);
      if (known !== undefined) return known;
      if (packages.size >= MAX_REMEMBERED) packages.clear();
      const revision = Number(ofPackage.get(packagePurl)?.['folded'] ?? 0);
      packages.set(packagePurl, revision);
      return revision;
    },
  };
}
