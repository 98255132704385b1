import { type Archive, type ArchiveEntry, findEntry, openArchive } from '@granary/core/archive';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { formatOf, headers } from '../core-metadata.ts';
import { type MetadataShape, readMetadataShape } from './metadata-shape.ts';

/** `[build-system]` of a pyproject.toml (PEP 518, PEP 517). */
interface BuildSystem {
  readonly requires: readonly string[];
  readonly backend: string | undefined;
  readonly backendPath: readonly string[];
}

/** What a source archive says about how it is built. Read from untrusted bytes. */
export interface SdistEvidence {
  /** The folder that holds everything; empty when there isn't exactly one. */
  readonly root: string;
  readonly buildSystem: BuildSystem | undefined;
  /** Names of the tables below `[tool]`. */
  readonly tools: readonly string[];
  readonly hasSetupPy: boolean;
  readonly hasSetupCfg: boolean;
  /** setup.cfg itself sets the wheel's Python tag. */
  readonly setsWheelTag: boolean;
  readonly pkgInfo: MetadataShape | undefined;
  /** Name and version as PKG-INFO has them. */
  readonly version: string | undefined;
  /** Files at the top that setuptools takes along as licences by default. */
  readonly licenseFiles: number;
  /** Folders that the publisher's tree had and the archive lost, being empty of what it took along: its own top_level.txt names them. */
  readonly lostFolders: readonly string[];
  /** Paths below {@link root} and their times, in seconds. */
  readonly files: readonly { readonly path: string; readonly mtime: number }[];
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

/** Undefined when the archive is of a format that can't be read. Throws ArchiveError on a malformed one. */
export async function readSdistEvidence(fileName: string, bytes: Uint8Array): Promise<SdistEvidence | undefined> {
  const format = formatOf(fileName);
  if (format === undefined) return undefined;
  const archive = await openArchive(bytes, format);
  const tops = new Set(archive.entries.filter(({ type }) => type !== 'directory').map(({ path }) => path.split('/')[0] ?? ''));
  const [only] = tops;
  const root = tops.size === 1 && only !== undefined ? only : '';
  const at = (path: string) => (root === '' ? path : `${root}/${path}`);
  const text = (path: string) => textOf(findEntry(archive, at(path)));
  const pyproject = parsePyproject(text('pyproject.toml'));
  const pkgInfo = text('PKG-INFO');
  const setupCfg = text('setup.cfg');
  const files = archive.entries.flatMap((entry) => (entry.type === 'file' ? [{ path: below(root, entry.path), mtime: mtimeOf(entry) }] : []));
  return {
    root,
    buildSystem: pyproject?.buildSystem,
    tools: pyproject?.tools ?? [],
    hasSetupPy: findEntry(archive, at('setup.py')) !== undefined,
    hasSetupCfg: setupCfg !== undefined,
    setsWheelTag: setupCfg !== undefined && WHEEL_TAG.test(setupCfg),
    pkgInfo: pkgInfo === undefined ? undefined : readMetadataShape(pkgInfo),
    version: pkgInfo === undefined ? undefined : headers(pkgInfo, 'Version')[0],
    licenseFiles: files.filter(({ path }) => !path.includes('/') && LICENSE_FILE.test(path)).length,
    lostFolders: lostFolders(
      archive,
      root,
      files.map(({ path }) => path),
    ),
    files,
  };
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

function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function textOf(entry: ArchiveEntry | undefined): string | undefined {
  if (entry?.type !== 'file' || entry.content.sizeBytes > MAX_TEXT_BYTES) return undefined;
  return new TextDecoder().decode(entry.content.read());
}

function below(root: string, path: string): string {
  return root === '' ? path : path.slice(root.length + 1);
}

/** A fraction of a second stands in a pax record, and then some tools write none into the header. */
function mtimeOf({ header }: ArchiveEntry): number {
  if (!('mtime' in header)) return 0;
  const exact = Number(header.pax.findLast(([key]) => key === 'mtime')?.[1]);
  return Number.isNaN(exact) ? header.mtime : Math.floor(exact);
}
