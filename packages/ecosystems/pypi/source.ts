import { type ClaimedSource, claimedSource } from '@granary/contract/ecosystem';

/** Well-known labels of Project-URL for the place of the source, best first (PyPA specifications, Well-known Project URLs), normalized. */
const LABELS = ['source', 'sourcecode', 'repository', 'github', 'code'];

/** The repository among a distribution's project URLs, each `label, address`. They name pages too: only what a label calls source is one. */
export function sourceOf(projectUrls: readonly string[]): ClaimedSource | undefined {
  const labelled = projectUrls.flatMap((text) => {
    const [, label = '', address = ''] = /^([^,]{1,64}),\s*(\S{1,2048})$/.exec(text) ?? [];
    const rank = LABELS.indexOf(label.toLowerCase().replace(/[^a-z]/g, ''));
    return rank === -1 ? [] : [{ rank, address }];
  });
  for (const { address } of labelled.toSorted((a, b) => a.rank - b.rank)) {
    const source = claimedSource({ repository: address });
    if (source !== undefined) return source;
  }
  return undefined;
}
