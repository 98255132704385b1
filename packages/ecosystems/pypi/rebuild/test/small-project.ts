import { gzipSync } from 'node:zlib';
import type { CommitSource, RebuildSubject } from '@granary/contract/ecosystem';
import type { PinnedArtifact } from '@granary/core/model';
import { formatPurl, parseInstant, sha256 } from '@granary/core/model';
import { type TarPart, tarBytes, type ZipPart, zipBytes } from '@granary/core/test';
import { artifactPurl } from '../../names.ts';

/** 2023-05-06 07:08:10 as MS-DOS writes it. */
const DOS_2023 = (((2023 - 1980) << 25) | (5 << 21) | (6 << 16) | (7 << 11) | (8 << 5) | 5) >>> 0;
export const SECONDS_2023 = Date.UTC(2023, 4, 6, 7, 8, 10) / 1000;

export interface SmallWheel {
  readonly generator?: string;
  readonly metadata?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly part?: Partial<ZipPart>;
  /** For one path only. */
  readonly parts?: Readonly<Record<string, Partial<ZipPart>>>;
}

export const METADATA = 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n';

export function wheelBytes({ generator = 'flit 3.9.0', metadata = METADATA, files = {}, part = {}, parts = {} }: SmallWheel = {}): Buffer {
  const contents: Record<string, string> = {
    'demo/__init__.py': 'x = 1\n',
    ...files,
    'demo-1.0.dist-info/METADATA': metadata,
    'demo-1.0.dist-info/WHEEL': `Wheel-Version: 1.0\nGenerator: ${generator}\nRoot-Is-Purelib: true\nTag: py3-none-any\n`,
    'demo-1.0.dist-info/RECORD': '',
  };
  return zipBytes(Object.entries(contents).map(([name, data]) => ({ name, data, mode: 0o100644, dosTime: DOS_2023, ...part, ...parts[name] })));
}

export function sdistBytes(files: Readonly<Record<string, string>>, part: Partial<TarPart> = {}): Buffer {
  return gzipSync(tarBytes(Object.entries(files).map(([path, data]) => ({ name: `demo-1.0/${path}`, data, mode: 0o644, mtime: SECONDS_2023, ...part }))));
}

export const PKG_INFO = { 'PKG-INFO': METADATA };

export function subjectOf(published: Buffer, sourceBytes: Buffer, fileName = 'demo-1.0-py3-none-any.whl'): RebuildSubject {
  return {
    target: artifact(fileName, published),
    published,
    source: {
      kind: 'archive',
      tier: 'publisher-archive',
      purl: 'pkg:pypi/demo@1.0?file_name=demo-1.0.tar.gz',
      fileName: 'demo-1.0.tar.gz',
      sha256: sha256(sourceBytes),
    },
    sourceBytes,
    runtimeVersion: '3.11.2',
  };
}

/** The commit that has these files, as the tar that its tree becomes. */
export function commitBytes(files: Readonly<Record<string, string>>, parts: readonly TarPart[] = []): Buffer {
  const written = Object.entries(files).map(([name, data]): TarPart => ({ name, data, mode: name.endsWith('.sh') ? 0o755 : 0o644, mtime: SECONDS_2023 }));
  return tarBytes([...written, ...parts]);
}

/** A release of demo 1.0 and the commit that it is taken for. */
export function commitSubject(
  published: Buffer,
  sourceBytes: Buffer,
  { fileName, directory }: { readonly fileName: string; readonly directory?: string },
): RebuildSubject {
  const source: CommitSource = {
    kind: 'commit',
    tier: 'commit-tagged',
    repository: formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'demo' }),
    commit: '1'.repeat(40),
    fileName: 'demo-111111111111.tar',
    sha256: sha256(sourceBytes),
    ...(directory === undefined ? {} : { directory }),
  };
  return { target: artifact(fileName, published), published, source, sourceBytes, runtimeVersion: '3.11.2' };
}

export function artifact(fileName: string, bytes: Uint8Array): PinnedArtifact {
  const publishedAt = parseInstant('2023-05-06T07:10:00Z');
  return {
    purl: artifactPurl('demo', '1.0', fileName),
    fileName,
    sha256: sha256(bytes),
    digests: { sha256: sha256(bytes) },
    path: fileName,
    ...(publishedAt === undefined ? {} : { publishedAt }),
  };
}
