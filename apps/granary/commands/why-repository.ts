import type { Catalog } from '@granary/contract/ports';
import { INDEX_COMPANION } from '@granary/contract/repository';
import { isRepositoryPurl, parseRepository } from '@granary/core/git';
import { ObservedBody, type Purl, packageOf, parsePurl, StoredBody, VanishedBody } from '@granary/core/model';
import { missingLargeFiles, type OutsideStanding, outsideStanding } from './outside-standing.ts';

/** What is on record of a source repository, or of one of its refs, with the places in the ledger that say so. */
export interface RepositoryHistory {
  readonly repository: Purl;
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
  readonly packs: readonly StoredFile[];
  readonly largeFiles: readonly StoredFile[];
  /** What its trees name and its packs don't have. */
  readonly outside: OutsideStanding;
}
interface StoredFile {
  readonly entry: number;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Of a repository's address or purl, or the purl of a ref; undefined for anything else, and for what was never seen. */
export function readRepositoryHistory(catalog: Pick<Catalog, 'ofPackage' | 'current'>, asked: string): RepositoryHistory | undefined {
  const purl = parsePurl(asked) ?? parseRepository(asked)?.purl;
  const repository = purl === undefined ? undefined : packageOf(purl);
  if (purl === undefined || repository === undefined || !isRepositoryPurl(repository)) return undefined;
  const seen = catalog.ofPackage('observed', repository, { history: true });
  if (seen.length === 0) return undefined;
  const stored = catalog.ofPackage('stored', repository).map(({ index, entry }) => ({ entry: index, ...StoredBody.parse(entry.body) }));
  const filesOf = (isPack: boolean) =>
    stored
      .filter(({ companions = {} }) => (companions[INDEX_COMPANION] !== undefined) === isPack)
      .map(({ entry, sha256, sizeBytes }) => ({ entry, sha256, sizeBytes }));
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
    packs: filesOf(true),
    largeFiles: filesOf(false),
    outside: outsideStanding(catalog, repository),
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
export function formatRepositoryHistory({ repository, seen, events, packs, largeFiles, outside }: RepositoryHistory): string {
  return [
    repository,
    `  held      ${packs.length} packs of ${bytesOf(packs)} bytes`,
    ...(largeFiles.length === 0 ? [] : [`  held      ${largeFiles.length} large files of ${bytesOf(largeFiles)} bytes`]),
    ...missingLargeFiles(repository, outside.largeFiles).map((line) => `  missing   ${line}`),
    ...outside.submodules.map(({ repository: named, held }) => `  submodule ${named}: ${held ? 'held' : 'not held'}`),
    ...outside.notCovered.map((line) => `  missing   ${line}`),
    ...seen.map(({ entry, at, document, events: counts }, index) => {
      const what = Object.entries(counts).map(([event, count]) => `${count} ${event}`);
      const otherwise = seen[index - 1]?.document === document ? 'the same refs, and other large files' : 'other refs';
      return `  seen      ${at} (entry ${entry}): ${index === 0 ? 'for the first time' : what.join(', ') || otherwise}`;
    }),
    ...events.map(
      ({ entry, at, ref, state, from, to }) =>
        `  ${state.padEnd(9)} ${at} (entry ${entry}): ${ref ?? 'the repository'}${from ? ` from ${from}` : ''}${to ? ` to ${to}` : ''}`,
    ),
  ].join('\n');
}

function bytesOf(files: readonly StoredFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
