import { type ClaimedSource, claimedSource } from '@granary/contract/ecosystem';
import hostedGitInfo from 'hosted-git-info';
import { asObject, type RawManifest } from './schema.ts';

/** What a package.json says of its repository (package.json, `repository`), and the commit that old versions of npm wrote into it. */
export function sourceOf({ repository, gitHead }: RawManifest): ClaimedSource | undefined {
  const stated = asObject(repository);
  const url = typeof repository === 'string' ? repository : stated?.['url'];
  const directory = stated?.['directory'];
  if (typeof url !== 'string') return undefined;
  return claimedSource({
    repository: addressOf(url),
    commit: typeof gitHead === 'string' ? gitHead : undefined,
    directory: typeof directory === 'string' ? directory : undefined,
  });
}

/** `owner/name`, `gitlab:owner/name` and pages of a forge, as npm itself reads them; everything else as it is written. */
function addressOf(text: string): string {
  if (text.length > 2048) return '';
  return hostedGitInfo.fromUrl(text)?.https({ noCommittish: true }) ?? text;
}
