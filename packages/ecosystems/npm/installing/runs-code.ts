import { EcosystemError } from '@granary/contract/ecosystem';
import { ArchiveError, type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS, openArchive } from '@granary/core/archive';
import type { PinnedArtifact } from '@granary/core/model';
import { asObject, parseObject } from '../schema.ts';

const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
const LIMITS: ArchiveLimits = { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: 512 * 2 ** 20, maxEntryBytes: 512 * 2 ** 20 };
/** What npm runs of a dependency (npm docs, scripts: life cycle of `npm ci`); `prepare` is for what comes from git. */
const EVENTS = ['preinstall', 'install', 'postinstall'];

/** By the package's own package.json, whatever an index or a lock says. With a binding.gyp and neither of the first two, npm runs node-gyp. */
export async function runsCode(_: PinnedArtifact, bytes: Uint8Array): Promise<boolean> {
  try {
    const { entries } = await openArchive(bytes, 'tar.gz', LIMITS);
    const manifest = entries.findLast(({ path, type }) => type === 'file' && /^[^/]+\/package\.json$/.test(path));
    if (manifest === undefined || manifest.content.sizeBytes > MAX_MANIFEST_BYTES) return true;
    const scripts = asObject(parseObject(await manifest.content.read(), 'package.json')['scripts']) ?? {};
    return EVENTS.some((event) => Object.hasOwn(scripts, event)) || entries.some(({ path }) => /^[^/]+\/binding\.gyp$/.test(path));
  } catch (error) {
    if (error instanceof ArchiveError || error instanceof EcosystemError) return true;
    throw error;
  }
}
