import { gzipSync } from 'node:zlib';
import type { RebuildSubject } from '@granary/contract/ecosystem';
import { type PinnedArtifact, parsePurl, sha256, toInstant } from '@granary/core/model';
import { tarBytes } from '@granary/core/test';
import { artifactPurl, crateFileName } from '../../names.ts';

export type Files = Readonly<Record<string, string>>;

export const MANIFEST = '[package]\nname = "wick"\nversion = "1.0.0"\nedition = "2021"\n';
/** As cargo has written it since 1.55. */
export const WRITTEN = `# If you are reading this file be aware that the original Cargo.toml\n# will likely look very different.\n\n${MANIFEST}`;
export const VCS_INFO = JSON.stringify({ git: { sha1: '1'.repeat(40) }, path_in_vcs: '' });
const PUBLISHED = Date.UTC(2024, 4, 6, 7, 8, 10);

export function crateBytes(files: Files, mtime = 1): Buffer {
  return gzipSync(tarBytes(Object.entries(files).map(([path, data]) => ({ name: `wick-1.0.0/${path}`, data, mode: 0o644, mtime }))));
}

export function treeBytes(files: Files): Buffer {
  return tarBytes(Object.entries(files).map(([name, data]) => ({ name, data, mode: 0o644 })));
}

export function lockText(...packages: readonly (readonly [name: string, version: string, more?: string])[]): string {
  const entries = packages.map(([name, version, more = listed(name, version)]) => `[[package]]\nname = "${name}"\nversion = "${version}"\n${more}`);
  return `version = 3\n\n${entries.join('\n')}`;
}
export function listed(name: string, version: string): string {
  return `source = "registry+https://registry.example/index"\nchecksum = "${sha256(`${name} ${version}`)}"\n`;
}
/** Of the package that a lock is of. */
export const OWN = '';

export interface Small {
  readonly published?: Files;
  readonly tree?: Files;
  readonly directory?: string;
  readonly publishedAt?: number;
  readonly without?: 'commit' | 'time';
}

export function subjectOf({ published = {}, tree = {}, directory, publishedAt = PUBLISHED, without }: Small = {}): RebuildSubject {
  const bytes = crateBytes({ 'Cargo.toml': WRITTEN, '.cargo_vcs_info.json': VCS_INFO, 'Cargo.toml.orig': MANIFEST, ...published });
  const sourceBytes = treeBytes({ 'Cargo.toml': MANIFEST, ...tree });
  const target: PinnedArtifact = {
    purl: artifactPurl('wick', '1.0.0'),
    fileName: crateFileName('wick', '1.0.0'),
    sha256: sha256(bytes),
    digests: { sha256: sha256(bytes) },
    path: 'crates/wick',
    ...(without === 'time' ? {} : { publishedAt: toInstant(publishedAt) }),
  };
  const repository = parsePurl('pkg:git/forge.example/owner/wick');
  if (repository === undefined) throw new Error('no purl');
  return {
    target,
    published: bytes,
    source: {
      ...{ kind: 'commit', tier: 'commit-tagged', repository, commit: '1'.repeat(40), fileName: 'wick-111111111111.tar', sha256: sha256(sourceBytes) },
      ...(directory === undefined ? {} : { directory }),
    },
    sourceBytes,
    ...(without === 'commit' ? {} : { commitObject: new TextEncoder().encode('tree 2\n\nmessage\n') }),
    runtimeVersion: '1.85.0',
  };
}
