import type { CommitManifest, CommitRules } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { parseGoMod } from '../go-mod.ts';
import { artifactPurl, pathOf, withoutMajor } from '../names.ts';
import { commitOfPseudoVersion, isPseudoVersion } from '../versions.ts';
import { moduleFiles } from './module-files.ts';

/** How the zip of a module is known to be made from a commit (the tool's own reference, "Mapping versions to commits"). */
export const golangCommits: CommitRules = {
  /** Of a module in a folder tags name the folder; where in its path the repository ends, a path doesn't tell. */
  aliases(target) {
    const [, ...segments] = withoutMajor(pathOf(target.purl)).split('/');
    return segments.map((_, at) => segments.slice(at).join('/'));
  },
  versions(target) {
    const version = versionOf(target);
    return isPseudoVersion(version) ? [] : [version.replace(/^v|\+incompatible$/g, '')];
  },
  commitNamed: (target) => commitOfPseudoVersion(versionOf(target)),
  claimedBy: (target) => artifactPurl(pathOf(target.purl), versionOf(target), 'info'),
  manifests: ['go.mod'],
  readManifest(_, bytes): CommitManifest | undefined {
    const { path } = parseGoMod(bytes);
    return path === undefined ? undefined : { name: path };
  },
  /** Without a go.mod the whole repository is a module, of a major version that its path doesn't tell. */
  isOf(target, { name }) {
    const path = pathOf(target.purl);
    return name === undefined ? !/\/v\d+$/.test(path) : name === path;
  },
  placesOf(target, entryPath, directory) {
    const prefix = prefixOf(target);
    const path = entryPath.startsWith(prefix) ? entryPath.slice(prefix.length) : entryPath;
    if (directory === '') return [path];
    return path === 'LICENSE' ? [`${directory}/LICENSE`, 'LICENSE'] : [`${directory}/${path}`];
  },
  filesOf(target, tree, directory) {
    const files = moduleFiles(tree, directory);
    return files === undefined ? undefined : new Map([...files].map(([path, place]) => [`${prefixOf(target)}${path}`, place]));
  },
};

function versionOf({ purl }: Artifact): string {
  return purlParts(purl).version ?? '';
}

/** All files of a module's zip lie below. */
function prefixOf(target: Artifact): string {
  return `${pathOf(target.purl)}@${versionOf(target)}/`;
}
