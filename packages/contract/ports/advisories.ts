import type { OsvRecord } from '@granary/core/osv';

/** What is known of the vulnerabilities of packages. Only reads what this site has; may be asked any number of times at once. */
export interface Advisories {
  /**
   * Every advisory in force that names one of these packages. `ecosystem` and names are written as OSV writes them. Never rejects:
   * what can't be said is `unknown`, and nobody may conclude that nothing is wrong.
   */
  of(ecosystem: string, names: readonly string[]): Promise<KnownAdvisories>;
}
export type KnownAdvisories =
  | { readonly type: 'known'; readonly byName: ReadonlyMap<string, readonly OsvRecord[]> }
  /**
   * `status` is what a client is answered: 413 when it asked for too much at once, 503 when asking again may help, and 424 (RFC 4918 11.4) when
   * somebody has to mend something first: clients ask again and again after any 5xx, for minutes.
   */
  | { readonly type: 'unknown'; readonly status: 413 | 424 | 503; readonly why: string };
