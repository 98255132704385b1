import type { Config } from '@granary/config';
import { type FolderIndex, indexFolder } from '@granary/driver-advisories-folder';
import type { Finding } from './doctor.ts';

const WHAT = 'advisories';
const MAX_NAMED = 5;

/** What clients are told of vulnerabilities, and from what. Reads the whole folder. */
export async function advisoriesFinding({ advisories }: Pick<Config, 'advisories'>): Promise<Finding> {
  if (advisories === undefined)
    return { state: 'ok', what: WHAT, detail: 'off: clients that audit are told so; advisories: {folder: PATH} in granary.yaml names a folder of OSV files' };
  const { folder } = advisories;
  try {
    return findingOf(folder, await indexFolder(folder));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { state: 'missing', what: WHAT, detail: `${folder}: ${why}; put an export of the OSV database there, one JSON file for each advisory` };
  }
}

function findingOf(folder: string, { packages, count, newest, broken }: FolderIndex): Finding {
  if (count === 0 && broken.length === 0) return { state: 'missing', what: WHAT, detail: `${folder}: no advisories; put an export of the OSV database there` };
  const ecosystems = [...packages].map(([ecosystem, named]) => `${named.size} packages of ${ecosystem}`).join(', ');
  const detail = `${folder}: ${count} in force, for ${ecosystems || 'no package'}; the newest was changed at ${newest ?? 'no time'}`;
  if (broken.length === 0) return { state: 'ok', what: WHAT, detail };
  const named = broken.slice(0, MAX_NAMED).map(({ path, why }) => `${path} (${why})`);
  return { state: 'weak', what: WHAT, detail: `${detail}; ${broken.length} files can't be read and are passed over: ${named.join(', ')}` };
}
