import { type CommitManifest, type CommitRules, claimedSource } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { parseGoMod } from '../go-mod.ts';
import { artifactPurl, type FileKind, kindOf, pathOf, withoutMajor } from '../names.ts';
import { commitOfPseudoVersion, isPseudoVersion } from '../versions.ts';
import { moduleDocuments } from './documents.ts';
import { moduleFiles } from './module-files.ts';

/** No module lies deeper below the address of its repository. */
const MAX_PREFIXES = 16;
/** The zip has all files of the commit, the go.mod one of them, and what the proxy says of the version none. */
const LEADING: Readonly<Record<FileKind, readonly FileKind[]>> = { zip: [], mod: ['zip'], info: ['zip', 'mod'] };

/** How the files of a module are known to be made from a commit (the tool's own reference, "Mapping versions to commits"). */
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
  /** The tool looks for `go-import` at each prefix of a path, and repositories begin there ("Finding a repository for a module path"). */
  mayLieIn(target) {
    const elements = pathOf(target.purl)
      .replace(/\/v\d+$/, '')
      .split('/');
    const prefixes = elements.slice(1, MAX_PREFIXES).map((_, at) => elements.slice(0, at + 2).join('/'));
    return prefixes.toReversed().flatMap((prefix) => claimedSource({ repository: `https://${prefix}` })?.repository ?? []);
  },
  locatedWith(target) {
    const others = LEADING[kindOf(target.fileName) ?? 'zip'];
    return others.map((kind) => artifactPurl(pathOf(target.purl), versionOf(target), kind));
  },
  documentOf(fileName) {
    const kind = kindOf(fileName);
    return kind === undefined || kind === 'zip' ? undefined : moduleDocuments[kind];
  },
  filesDecide: true,
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
    const kind = kindOf(target.fileName);
    if (kind !== undefined && kind !== 'zip') return kind === 'mod' ? [directory === '' ? 'go.mod' : `${directory}/go.mod`] : [];
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
