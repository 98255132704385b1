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
  /** `status` is what a client is answered: 501 until somebody changes the configuration, 413 when it asks for too much at once, 503 when it may ask again. */
  | { readonly type: 'unknown'; readonly status: 413 | 501 | 503; readonly why: string };
