import { EcosystemError, type PackageDocument, type Toolchain } from '@granary/contract/ecosystem';
import { DEFAULT_ARCHIVE_LIMITS, openArchive } from '@granary/core/archive';
import { purlParts } from '@granary/core/model';
import { compare, explain } from '@renovatebot/pep440';
import { installableWheel } from './installable.ts';
import { packagePurl } from './names.ts';

const UV = /^uv-[^/]+\.data\/scripts\/uv$/;
const MAX_TOOL_BYTES = 256 * 2 ** 20;

/** CPython of the distribution, and uv, which makes environments and installs into them. */
export const pypiToolchain: Toolchain = {
  systemPackages: ['python3', 'python3-venv'],
  tools: [packagePurl('uv')],
  select: newestInstallable,
  async unpack(artifact, bytes) {
    const limits = { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: MAX_TOOL_BYTES, maxEntryBytes: MAX_TOOL_BYTES };
    const archive = await openArchive(bytes, 'zip', limits);
    const uv = archive.entries.find(({ path, type }) => type === 'file' && UV.test(path));
    if (uv === undefined) throw new EcosystemError('malformed', `${artifact.fileName}: holds no uv executable`);
    return [{ path: '/usr/local/bin/uv', bytes: uv.content.read() }];
  },
  usualRuntimeVersion: '3.11',
  runtimeVersion(systemPackages) {
    const version =
      systemPackages.find(({ name }) => name === 'python3.11-minimal')?.version ?? systemPackages.find(({ name }) => name === 'python3-minimal')?.version;
    return version === undefined ? undefined : /\d+\.\d+\.\d+/.exec(version)?.[0];
  },
};

/** Of final releases that aren't yanked. */
function newestInstallable(document: PackageDocument) {
  const byVersion = Map.groupBy(
    document.artifacts.filter(({ yanked }) => !yanked),
    ({ purl }) => purlParts(purl).version ?? '',
  );
  const versions = [...byVersion.keys()].filter((version) => explain(version)?.is_prerelease === false).toSorted((a, b) => compare(b, a));
  for (const version of versions) {
    const found = installableWheel(byVersion.get(version) ?? []);
    if (found !== undefined) return found;
  }
  return undefined;
}
