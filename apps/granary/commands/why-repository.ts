import type { Catalog } from '@granary/contract/ports';
import { isRepositoryPurl, parseRepository } from '@granary/core/git';
import { ObservedBody, packageOf, parsePurl, StoredBody, VanishedBody } from '@granary/core/model';

/** What is on record of a source repository, or of one of its refs, with the places in the ledger that say so. */
export interface RepositoryHistory {
  readonly repository: string;
  /** Each time that its refs were others than before, oldest first. */
  readonly seen: readonly { readonly entry: number; readonly at: string; readonly document: string; readonly events: Readonly<Record<string, number>> }[];
  /** Refs that named something else, were deleted or came back, and the repository itself: `ref` is null then. */
  readonly events: readonly {
    readonly entry: number;
    readonly at: string;
    readonly ref: string | null;
    readonly state: VanishedBody['state'];
    readonly from: string | null;
    readonly to: string | null;
  }[];
  readonly packs: readonly { readonly entry: number; readonly sha256: string; readonly sizeBytes: number }[];
}

/** Of a repository's address or purl, or the purl of a ref; undefined for anything else, and for what was never seen. */
export function readRepositoryHistory(catalog: Pick<Catalog, 'ofPackage'>, asked: string): RepositoryHistory | undefined {
  const purl = parsePurl(asked) ?? parseRepository(asked)?.purl;
  const repository = purl === undefined ? undefined : packageOf(purl);
  if (purl === undefined || repository === undefined || !isRepositoryPurl(repository)) return undefined;
  const seen = catalog.ofPackage('observed', repository, { history: true });
  if (seen.length === 0) return undefined;
  const isAsked = (subject: string) => purl === repository || subject === purl;
  return {
    repository,
    seen: seen.map(({ index, entry }) => {
      const { document, events = {} } = ObservedBody.parse(entry.body);
      return { entry: index, at: entry.at, document, events };
    }),
    events: catalog
      .ofPackage('vanished', repository, { history: true })
      .filter(({ entry }) => isAsked(entry.subject))
      .map(({ index, entry }) => {
        const { state, from = null, to = null } = VanishedBody.parse(entry.body);
        return { entry: index, at: entry.at, ref: refOf(entry.subject), state, from, to };
      }),
    packs: catalog.ofPackage('stored', repository).map(({ index, entry }) => {
      const { sha256, sizeBytes } = StoredBody.parse(entry.body);
      return { entry: index, sha256, sizeBytes };
    }),
  };
}

function refOf(subject: string): string | null {
  const at = subject.indexOf('#');
  return at === -1
    ? null
    : subject
        .slice(at + 1)
        .split('/')
        .map(decodeURIComponent)
        .join('/');
}

/** For people. */
export function formatRepositoryHistory({ repository, seen, events, packs }: RepositoryHistory): string {
  const bytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    repository,
    `  held      ${packs.length} packs of ${bytes} bytes`,
    ...seen.map(({ entry, at, events: counts }, index) => {
      const what = Object.entries(counts).map(([event, count]) => `${count} ${event}`);
      return `  seen      ${at} (entry ${entry}): ${index === 0 ? 'for the first time' : what.join(', ') || 'other refs'}`;
    }),
    ...events.map(
      ({ entry, at, ref, state, from, to }) =>
        `  ${state.padEnd(9)} ${at} (entry ${entry}): ${ref ?? 'the repository'}${from ? ` from ${from}` : ''}${to ? ` to ${to}` : ''}`,
    ),
  ].join('\n');
}
