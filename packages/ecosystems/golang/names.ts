import { formatPurl, type Purl, purlParts } from '@granary/core/model';

/** The three files of a version; GOPROXY protocol, `golang.org/ref/mod#goproxy-protocol` in the tool's own reference. */
export const FILE_KINDS = ['info', 'mod', 'zip'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const MAX_PATH_LENGTH = 1024;
/** As golang.org/x/mod/module.CheckPath has it: a host first, then elements that neither begin nor end with a dot. */
const FIRST_ELEMENT = /^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+$/;
const ELEMENT = /^(?!\.)[A-Za-z0-9._~-]+(?<!\.)$/;

/** Is it a path that a proxy may be asked for? */
export function isModulePath(path: string): boolean {
  const [first = '', ...others] = path.split('/');
  return path.length <= MAX_PATH_LENGTH && FIRST_ELEMENT.test(first) && others.every((element) => ELEMENT.test(element));
}

/** Upper-case letters as `!` and the small one: addresses and file systems may not tell them apart. */
export function escapeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** Undefined unless the text is exactly what {@link escapeCase} writes. */
export function unescapeCase(text: string): string | undefined {
  if (/[A-Z]|!(?![a-z])/.test(text)) return undefined;
  return text.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Module paths are case-sensitive, and so are these purls: `pkg:golang/github.com/BurntSushi/toml`. */
export function modulePurl(path: string): Purl {
  return formatPurl({ type: 'golang', ...segmentsOf(path) });
}
export function artifactPurl(path: string, version: string, kind: FileKind): Purl {
  return formatPurl({ type: 'golang', ...segmentsOf(path), version, fileName: fileNameOf(version, kind) });
}
export function fileNameOf(version: string, kind: FileKind): string {
  return `${escapeCase(version)}.${kind}`;
}
/** Upstream's own path, and ours. */
export function artifactPath(path: string, version: string, kind: FileKind): string {
  return `${escapeCase(path)}/@v/${fileNameOf(version, kind)}`;
}

/** The module path that a purl names, its version left out. */
export function pathOf(purl: Purl): string {
  const { namespace, name } = purlParts(purl);
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** A path without what stands for its major version: `/v2`, or `.v2` as some hosts write it (golang.org/x/mod/module, SplitPathVersion). */
export function withoutMajor(path: string): string {
  return path.replace(/(?:\/v(?:[2-9]|[1-9]\d+)|\.v\d+(?:-unstable)?)$/, '');
}

export function kindOf(fileName: string): FileKind | undefined {
  return FILE_KINDS.find((kind) => fileName.endsWith(`.${kind}`));
}

/** Namespace and name of a purl: all but the last element, and the last. */
export function segmentsOf(path: string): { readonly namespace?: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? { name: path } : { namespace: path.slice(0, slash), name: path.slice(slash + 1) };
}
