import { type ClaimedSource, claimedSource } from '@granary/contract/ecosystem';
import hostedGitInfo from 'hosted-git-info';

/** Well-known labels of Project-URL for the place of the source, best first (PyPA specifications, Well-known Project URLs), normalized. */
const LABELS = ['source', 'sourcecode', 'repository', 'github', 'code'];

/** The same of a project's own page, which many keep at a forge. */
const PAGES = ['homepage', 'home'];
const MAX_ADDRESS_CHARS = 2048;

/**
 * The repository among a distribution's project URLs, each `label, address`, or the one whose page at a well-known forge is the project's own. They name pages too: what no label calls source
 * is one only by an address of such a forge.
 */
export function sourceOf(projectUrls: readonly string[], homePage?: string): ClaimedSource | undefined {
  const labelled = projectUrls.flatMap((text) => {
    const [, label = '', address = ''] = /^([^,]{1,64}),\s*(\S{1,2048})$/.exec(text) ?? [];
    return address === '' ? [] : [{ label: label.toLowerCase().replace(/[^a-z]/g, ''), address }];
  });
  const ofSource = LABELS.flatMap((wanted) => labelled.filter(({ label }) => label === wanted).map(({ address }) => address));
  const pages = [...labelled.filter(({ label }) => PAGES.includes(label)).map(({ address }) => address), homePage ?? ''];
  for (const repository of [...ofSource, ...pages.map(atForge)]) {
    const source = claimedSource({ repository });
    if (source !== undefined) return source;
  }
  return undefined;
}

function atForge(page: string): string | undefined {
  return /^https?:\/\//.test(page) && page.length <= MAX_ADDRESS_CHARS
    ? hostedGitInfo.fromUrl(page)?.https({ noCommittish: true, noGitPlus: true })
    : undefined;
}
