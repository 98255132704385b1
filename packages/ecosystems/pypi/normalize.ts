import { type Archive, type ArchiveEntry, contentOf } from '@granary/core/archive';
import type { ArtifactRules, DifferingFile } from '@granary/core/compare';
import type { Cause } from '@granary/core/model';
import { type Normalizer, type NormalizerRef, type Observation, tarNormalizers, withContents, zipNormalizers } from '@granary/core/normalize';
import { hasCrlf, isText, withUnixLines } from './line-endings.ts';
import { readSetupCfg } from './setup-cfg.ts';
import { recordPath, recordProblems } from './wheel-record.ts';

/** Metadata that tools write as text and readers take line by line. */
const WHEEL_METADATA = /^[^/]+\.dist-info\/(?:METADATA|WHEEL|entry_points\.txt|top_level\.txt|namespace_packages\.txt)$/;
const SDIST_METADATA = /^[^/]+\/(?:PKG-INFO|setup\.cfg|[^/]+\.egg-info\/[^/]+|[^/]+\/[^/]+\.egg-info\/[^/]+)$/;
const SETUP_CFG = /^[^/]+\/setup\.cfg$/;
const SOURCES = /\.egg-info\/SOURCES\.txt$/;

/** Stands for a RECORD that was checked line by line: it says nothing that the files don't. */
const CHECKED_RECORD = contentOf(new TextEncoder().encode('checked against the files\n'));

const wheelRecord: Normalizer = {
  ref: {
    name: 'wheel.record-recompute',
    version: 1,
    reason: 'RECORD follows from the other files; it is checked against them before it is left out, and a wrong one is never left out',
  },
  appliesTo: (upstream) => recordPath(upstream) !== undefined,
  inspect(original) {
    const path = recordPath(original);
    if (path === undefined) return [{ code: 'integrity-metadata-wrong', path: 'RECORD', detail: 'not exactly one RECORD' }];
    return recordProblems(original, path).map((detail): Observation => ({ code: 'integrity-metadata-wrong', path, detail: `RECORD ${detail}` }));
  },
  apply(archive) {
    const path = recordPath(archive);
    return withContents(archive, (entry) => (entry.path === path ? { ...entry, content: CHECKED_RECORD } : entry));
  },
};

const wheelMetadataEol = lineRule(
  { name: 'wheel.metadata-eol', version: 1, reason: 'metadata are read line by line; tools on Windows end lines with CR LF' },
  { appliesTo: () => true, concerns: ({ path }) => WHEEL_METADATA.test(path) },
);

const wheelTextEol = lineRule(
  {
    name: 'wheel.text-eol',
    version: 1,
    reason:
      'a wheel built on Windows has the line endings of a checkout there; Python reads both alike. Only where the published wheel shows that it was built so',
  },
  { appliesTo: isMadeOnWindows, concerns: ({ path }) => !WHEEL_METADATA.test(path) && !path.endsWith('.dist-info/RECORD') },
);

const sdistMetadataEol = lineRule(
  { name: 'sdist.pkginfo-eol', version: 1, reason: 'metadata are read line by line; tools on Windows end lines with CR LF' },
  { appliesTo: () => true, concerns: ({ path }) => SDIST_METADATA.test(path) },
);

const sdistSourcesOrder: Normalizer = {
  ref: { name: 'sdist.sources-order', version: 1, reason: 'SOURCES.txt is a set of paths, written in the order in which a file system listed them' },
  appliesTo: () => true,
  inspect: () => [],
  apply: (archive) => withContents(archive, (entry) => (SOURCES.test(entry.path) ? withBytes(entry, sortedLines(entry.content.read())) : entry)),
};

/** How wheels are compared: a zip whose RECORD, line endings and archive metadata are what may differ. */
export const wheelRules: ArtifactRules = {
  format: 'zip',
  normalizers: [wheelRecord, wheelMetadataEol, wheelTextEol, ...zipNormalizers],
  causeOf: ({ path, ...sides }) => (/^[^/]+\.dist-info\//.test(path) ? metadataCause(path, sides) : generatedCause(path)),
};

/** How sdists are compared. */
export const sdistRules: ArtifactRules = {
  format: 'tar.gz',
  normalizers: [sdistMetadataEol, sdistSourcesOrder, ...tarNormalizers],
  causeOf({ path, upstream, rebuild }) {
    // setuptools writes its own section anew; whatever else a project's settings say is the project's.
    if (SETUP_CFG.test(path)) return isSameSettings(upstream, rebuild) ? 'build-metadata' : undefined;
    return SDIST_METADATA.test(path) ? 'build-metadata' : generatedCause(path.replace(/^[^/]+\//, ''));
  },
};

/** By file name; undefined for what no rules are known for, as eggs and installers. */
export function pypiRules(fileName: string): ArtifactRules | undefined {
  if (fileName.endsWith('.whl')) return wheelRules;
  if (fileName.endsWith('.tar.gz')) return sdistRules;
  return fileName.endsWith('.zip') ? { ...sdistRules, format: 'zip', normalizers: [sdistMetadataEol, sdistSourcesOrder, ...zipNormalizers] } : undefined;
}

interface LineScope {
  appliesTo(upstream: Archive): boolean;
  concerns(entry: ArchiveEntry): boolean;
}

/** A rule that ends the lines of some text files with LF, and says where it found others. */
function lineRule(ref: NormalizerRef, { appliesTo, concerns }: LineScope): Normalizer {
  const isConcerned = (entry: ArchiveEntry): boolean => entry.type === 'file' && concerns(entry) && isCrlfText(entry);
  return {
    ref,
    appliesTo,
    inspect(original) {
      const paths = original.entries
        .filter(isConcerned)
        .map(({ path }) => path)
        .sort();
      const [first] = paths;
      return first === undefined
        ? []
        : [
            {
              code: 'crlf',
              path: first,
              detail: paths.length === 1 ? 'lines end with CR LF' : `lines end with CR LF, here and in ${paths.length - 1} other files`,
            },
          ];
    },
    apply: (archive) => withContents(archive, (entry) => (isConcerned(entry) ? withBytes(entry, withUnixLines(entry.content.read())) : entry)),
  };
}

function isCrlfText({ content }: ArchiveEntry): boolean {
  const bytes = content.read();
  return hasCrlf(bytes) && isText(bytes);
}

/** APPNOTE 4.4.2: creating system 0 is MS-DOS or Windows. Some tools write it everywhere, none of those writes METADATA with CR LF. */
function isMadeOnWindows(upstream: Archive): boolean {
  return upstream.entries.some((entry) => /^[^/]+\.dist-info\/METADATA$/.test(entry.path) && isCrlfText(entry));
}

function withBytes<E extends ArchiveEntry>(entry: E, bytes: Uint8Array): E {
  return { ...entry, content: contentOf(bytes) };
}

function sortedLines(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes)
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .sort();
  return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1');
}

function metadataCause(path: string, { upstream, rebuild }: Omit<DifferingFile, 'path'>): Cause {
  if (path.endsWith('/WHEEL') && withoutGenerator(upstream) === withoutGenerator(rebuild)) return 'toolchain-version';
  return 'build-metadata';
}

function withoutGenerator(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/^Generator:.*$/m, '');
}

/** But for what sdist adds to them, and how it writes them down. */
function isSameSettings(one: Uint8Array, other: Uint8Array): boolean {
  const [first, second] = [one, other].map((bytes) => settingsOf(new TextDecoder().decode(bytes)));
  return first !== undefined && first === second;
}

function settingsOf(text: string): string | undefined {
  const sections = readSetupCfg(text);
  if (sections === undefined) return undefined;
  const kept = [...sections].filter(([name]) => name !== 'egg_info').map(([name, options]) => [name, [...options].toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return JSON.stringify(kept.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** Files that build backends write from the version control system's state. */
function generatedCause(path: string): Cause | undefined {
  return /(?:^|\/)(?:_version|version|_version_info|__version__|_git_version|_build_info)\.py$/.test(path) ? 'generated-file' : undefined;
}
