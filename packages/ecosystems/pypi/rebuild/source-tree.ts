import type { CommitSource, RebuildSource } from '@granary/contract/ecosystem';
import { type Archive, type ArchiveEntry, findEntry, openArchive } from '@granary/core/archive';
import { z } from 'zod';
import { formatOf, headers } from '../core-metadata.ts';
import { MANIFESTS, readManifest } from './manifests.ts';
import { type MetadataShape, readMetadataShape } from './metadata-shape.ts';
import { parseToml } from './parse-toml.ts';

/** `[build-system]` of a pyproject.toml (PEP 518, PEP 517). */
interface BuildSystem {
  readonly requires: readonly string[];
  readonly backend: string | undefined;
  readonly backendPath: readonly string[];
}

/** What a source archive, or the tree of a commit, says about how it is built. Read from untrusted bytes. */
export interface SourceTree {
  readonly kind: RebuildSource['kind'];
  /** The folder that holds the project; empty when its files lie at the top. Of an archive, the only one. */
  readonly root: string;
  readonly buildSystem: BuildSystem | undefined;
  /** Names of the tables below `[tool]`. */
  readonly tools: readonly string[];
  readonly hasSetupPy: boolean;
  readonly hasSetupCfg: boolean;
  /** setup.cfg itself sets the wheel's Python tag. */
  readonly setsWheelTag: boolean;
  readonly pkgInfo: MetadataShape | undefined;
  /** As PKG-INFO has them, or else, in a commit, its manifest. Without a version a build asks something that isn't there. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** Files at the top that setuptools takes along as licences by default. */
  readonly licenseFiles: number;
  /** Folders that the publisher's tree had and the archive lost, being empty of what it took along: its own top_level.txt names them. */
  readonly lostFolders: readonly string[];
  /** Paths below {@link root}, those of a commit that lie elsewhere as they are; times, in seconds, as far as they are known: those of a commit are its own. */
  readonly files: readonly { readonly path: string; readonly mtime: number | undefined }[];
}

const Pyproject = z.object({
  'build-system': z
    .object({ requires: z.array(z.string()).default([]), 'build-backend': z.string().optional(), 'backend-path': z.array(z.string()).default([]) })
    .optional(),
  tool: z.record(z.string(), z.unknown()).default({}),
});

const MAX_TEXT_BYTES = 4 * 2 ** 20;
const WHEEL_TAG = /^\s*(universal\s*=\s*(1|true|yes|on)|python[-_]tag\s*=)/im;
/** setuptools' default `license_files`. */
const LICENSE_FILE = /^(LICEN[CS]E|COPYING|NOTICE|AUTHORS)/;

/** What a tree comes as. `directory` is the project's, `''` or left out for the top. */
export type TreeSource = Pick<Extract<RebuildSource, { kind: 'archive' }>, 'kind' | 'fileName'> | Pick<CommitSource, 'kind' | 'fileName' | 'directory'>;

/** Undefined when it is of a format that can't be read. Throws ArchiveError on a malformed one. */
export async function readSourceTree(source: TreeSource, bytes: Uint8Array): Promise<SourceTree | undefined> {
  const format = formatOf(source.fileName);
  if (format === undefined) return undefined;
  const archive = await openArchive(bytes, format);
  const root = source.kind === 'commit' ? (source.directory ?? '') : onlyFolder(archive);
  const find = (path: string) => findEntry(archive, root === '' ? path : `${root}/${path}`);
  const text = (path: string) => textOf(find(path));
  const pyproject = parsePyproject(text('pyproject.toml'));
  const pkgInfo = text('PKG-INFO');
  const setupCfg = text('setup.cfg');
  const files = archive.entries.flatMap((entry) =>
    entry.type === 'file' ? [{ path: below(root, entry.path), mtime: source.kind === 'commit' ? undefined : mtimeOf(entry) }] : [],
  );
  return {
    kind: source.kind,
    root,
    buildSystem: pyproject?.buildSystem,
    tools: pyproject?.tools ?? [],
    hasSetupPy: find('setup.py') !== undefined,
    hasSetupCfg: setupCfg !== undefined,
    setsWheelTag: setupCfg !== undefined && WHEEL_TAG.test(setupCfg),
    pkgInfo: pkgInfo === undefined ? undefined : readMetadataShape(pkgInfo),
    ...(source.kind === 'commit' ? namedByManifests(text) : namedBy(pkgInfo ?? '')),
    licenseFiles: files.filter(({ path }) => !path.includes('/') && LICENSE_FILE.test(path)).length,
    lostFolders: lostFolders(
      archive,
      root,
      files.map(({ path }) => path),
    ),
    files,
  };
}

/** Empty when there isn't exactly one. */
function onlyFolder({ entries }: Archive): string {
  const tops = new Set(entries.filter(({ type }) => type !== 'directory').map(({ path }) => path.split('/')[0] ?? ''));
  const [only] = tops;
  return tops.size === 1 && only !== undefined ? only : '';
}

type Named = Pick<SourceTree, 'name' | 'version'>;

function namedBy(pkgInfo: string): Named {
  return { name: headers(pkgInfo, 'Name')[0], version: headers(pkgInfo, 'Version')[0] };
}

function namedByManifests(text: (path: string) => string | undefined): Named {
  const read = MANIFESTS.flatMap((name) => {
    const content = text(name);
    return (content === undefined ? undefined : readManifest(name, new TextEncoder().encode(content))) ?? [];
  });
  return { name: read.find(({ name }) => name !== undefined)?.name, version: read.find(({ version }) => version !== undefined)?.version };
}

/** Archives hold files: a folder without any is not there, yet some ways of finding packages see it. */
function lostFolders({ entries }: Archive, root: string, paths: readonly string[]): readonly string[] {
  return entries.flatMap((entry) => {
    const found = /^((?:src|lib)\/)?[^/]+\.egg-info\/top_level\.txt$/.exec(below(root, entry.path));
    if (found === null) return [];
    const names = (textOf(entry) ?? '').split('\n').filter((name) => /^[A-Za-z_]\w{0,99}$/.test(name));
    const isThere = (name: string) => paths.some((path) => `/${path}`.includes(`/${name}/`) || `/${path}`.includes(`/${name}.`));
    return names.filter((name) => !isThere(name)).map((name) => `${found[1] ?? ''}${name}`);
  });
}

/** A file that isn't TOML, or says something else than PEP 518 allows, counts as absent: the backend will say so itself. */
function parsePyproject(text: string | undefined): { readonly buildSystem: BuildSystem | undefined; readonly tools: readonly string[] } | undefined {
  if (text === undefined) return undefined;
  const parsed = Pyproject.safeParse(parseToml(text));
  if (!parsed.success) return undefined;
  const { 'build-system': system, tool } = parsed.data;
  const buildSystem = system && { requires: system.requires, backend: system['build-backend'], backendPath: system['backend-path'] };
  return { buildSystem, tools: Object.keys(tool) };
}

function textOf(entry: ArchiveEntry | undefined): string | undefined {
  if (entry?.type !== 'file' || entry.content.sizeBytes > MAX_TEXT_BYTES) return undefined;
  return new TextDecoder().decode(entry.content.read());
}

function below(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

/** A fraction of a second stands in a pax record, and then some tools write none into the header. */
function mtimeOf({ header }: ArchiveEntry): number {
  if (!('mtime' in header)) return 0;
  const exact = Number(header.pax.findLast(([key]) => key === 'mtime')?.[1]);
  return Number.isNaN(exact) ? header.mtime : Math.floor(exact);
}
