import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeComparison } from '@granary/core/compare';
import { blobKey } from '@granary/core/layout';
import { LocatedBody, type Purl, type Sha256, type SourceFinding, StoredBody, toPurl, VerdictBody } from '@granary/core/model';
import { openSqliteCatalog } from '@granary/driver-catalog-sqlite';

/** What a site came to about an artifact. */
export interface Judged {
  readonly evidence: StoredBody['evidence'];
  readonly verdict: VerdictBody | undefined;
  /** Those that the verdict has. */
  readonly findings: readonly SourceFinding[];
  readonly source: LocatedBody['source'];
  /** Path, kind and cause of each difference of the comparison that the verdict names. */
  readonly residue: readonly string[] | undefined;
}

/** Reads the catalog and the public store of a site in a folder; undefined for what it hasn't stored. */
export function judgedIn(dataDir: string, artifact: string): Judged | undefined {
  using catalog = openSqliteCatalog(join(dataDir, 'derived/catalog.sqlite'), { mode: 'read' });
  const purl: Purl = toPurl(artifact);
  const [stored, located, given] = (['stored', 'located', 'verdict'] as const).map((kind) => catalog.current(kind, purl)?.entry.body);
  if (stored === undefined) return undefined;
  const verdict = given === undefined ? undefined : VerdictBody.parse(given);
  return {
    evidence: StoredBody.parse(stored).evidence,
    verdict,
    findings: verdict?.findings ?? [],
    source: located === undefined ? undefined : LocatedBody.parse(located).source,
    residue: verdict?.comparison === undefined ? undefined : residueOf(dataDir, verdict.comparison),
  };
}

/** As the store lies on disk: a file for each key. */
function residueOf(dataDir: string, digest: Sha256): readonly string[] {
  const comparison = decodeComparison(readFileSync(join(dataDir, 'public', blobKey(digest))));
  return comparison?.residue.map(({ path, kind, cause }) => `${path} ${kind} ${cause}`) ?? [];
}
