import { readZip, type ZipArchive, type ZipEntry } from '@granary/core/archive';
import { headers } from '../core-metadata.ts';
import { type MetadataShape, readMetadataShape } from './metadata-shape.ts';
import { readZipStamps, type ZipStamps } from './zip-stamps.ts';

/** The tool that wrote a wheel, as the `Generator` field of its WHEEL file says (PEP 427). */
export interface Generator {
  readonly tool: string;
  readonly version?: string;
  /** The field as written. */
  readonly text: string;
}

/** What a published wheel says about how it was made. Read from untrusted bytes. */
export interface WheelEvidence {
  readonly generator: Generator | undefined;
  /** Python tags, such as `py2` and `py3`. */
  readonly pythonTags: readonly string[];
  readonly metadata: MetadataShape;
  /** Whether `entry_points.txt` ends in an empty line; undefined without the file. */
  readonly entryPointsEndBlank: boolean | undefined;
  readonly stamps: ZipStamps;
  /** APPNOTE 4.4.2: which system's attributes the entries carry. */
  readonly madeOn: 'unix' | 'windows';
  /** Permission bits of METADATA, which the build wrote itself: they show its umask. */
  readonly metadataMode: number;
  readonly hasCrlf: boolean;
  /** Paths and times of all files; of those in `.dist-info` the path below it, as licences lie in the source. */
  readonly payload: readonly { readonly path: string; readonly stamp: number }[];
}

/** Undefined when it isn't a wheel: no `.dist-info` with WHEEL and METADATA. Throws ArchiveError on what is no zip. */
export async function readWheelEvidence(fileName: string, bytes: Uint8Array): Promise<WheelEvidence | undefined> {
  const archive = await readZip(bytes);
  const distInfo = archive.entries.map(({ path }) => /^([^/]+\.dist-info)\/WHEEL$/.exec(path)?.[1]).find((name) => name !== undefined);
  if (distInfo === undefined) return undefined;
  const wheel = textOf(archive, `${distInfo}/WHEEL`);
  const metadata = textOf(archive, `${distInfo}/METADATA`);
  if (wheel === undefined || metadata === undefined) return undefined;
  const entryPoints = textOf(archive, `${distInfo}/entry_points.txt`);
  const files = archive.entries.filter(({ type }) => type === 'file');
  const stamps = readZipStamps(files);
  const written = files.find(({ path }) => path === `${distInfo}/METADATA`);
  return {
    generator: parseGenerator(headers(wheel, 'Generator')[0]),
    pythonTags: fileName.slice(0, -'.whl'.length).split('-').at(-3)?.split('.') ?? [],
    metadata: readMetadataShape(metadata),
    entryPointsEndBlank: entryPoints === undefined ? undefined : /\n\r?\n$/.test(entryPoints),
    stamps,
    madeOn: written?.header.createSystem === 0 ? 'windows' : 'unix',
    metadataMode: (written?.mode ?? 0) & 0o777,
    hasCrlf: metadata.includes('\r\n'),
    payload: files.map((entry) => ({ path: entry.path.replace(`${distInfo}/`, ''), stamp: stamps.of(entry) })),
  };
}

/** `bdist_wheel (0.41.2)`, `flit 3.9.0`, `poetry-core 1.7.0`, `setuptools (70.1.0)`. */
export function parseGenerator(text: string | undefined): Generator | undefined {
  const match = text === undefined ? null : /^([A-Za-z0-9._-]+)(?:[ :]+\(?v?([0-9][A-Za-z0-9.+!_-]*)\)?)?/.exec(text);
  if (text === undefined || match?.[1] === undefined) return undefined;
  const [, tool, version] = match;
  return { tool: tool.toLowerCase(), text, ...(version === undefined ? {} : { version }) };
}

function textOf(archive: ZipArchive, path: string): string | undefined {
  const entry: ZipEntry | undefined = archive.entries.findLast((candidate) => candidate.path === path && candidate.type === 'file');
  return entry === undefined || entry.content.sizeBytes > MAX_TEXT_BYTES ? undefined : new TextDecoder().decode(entry.content.read());
}
const MAX_TEXT_BYTES = 4 * 2 ** 20;
