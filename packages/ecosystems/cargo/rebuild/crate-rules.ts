import { type ArchiveEntry, contentOf } from '@granary/core/archive';
import type { ArtifactRules, DifferingFile } from '@granary/core/compare';
import type { Cause } from '@granary/core/model';
import { type Normalizer, tarNormalizers, tarRule, withContents } from '@granary/core/normalize';
import { lockedAlike } from './compare-locks.ts';
import { readVcsInfo } from './crate-evidence.ts';
import { manifestForm } from './manifest-form.ts';

const LOCK = /^[^/]+\/Cargo\.lock$/;
const VCS_INFO = /^[^/]+\/\.cargo_vcs_info\.json$/;

/** The one that is left out is in the rebuild alone: nothing that was published goes unlooked at. */
const lockOfLibrary: Normalizer = {
  ...tarRule(
    {
      name: 'crate.lock-of-library',
      version: 1,
      reason: 'cargo packs a Cargo.lock beside libraries since 1.84 only; nobody who depends on a crate reads it. Only where the published crate has none',
    },
    (archive) => {
      const entries = archive.entries.filter(({ path }) => !LOCK.test(path));
      return entries.length === archive.entries.length ? archive : { ...archive, entries };
    },
  ),
  appliesTo: ({ entries }) => !entries.some(({ path }) => LOCK.test(path)),
};

const vcsInfoForm: Normalizer = {
  ref: {
    name: 'crate.vcs-info-form',
    version: 1,
    reason: 'cargo names the folder of a package beside its commit since 1.57 only; the commit stays. Only where the published crate names no folder',
  },
  appliesTo: ({ entries }) => entries.some((entry) => VCS_INFO.test(entry.path) && vcsInfo(entry) !== undefined && vcsInfo(entry)?.path_in_vcs === undefined),
  inspect: () => [],
  apply: (archive) =>
    withContents(archive, (entry) => {
      const info = VCS_INFO.test(entry.path) ? vcsInfo(entry) : undefined;
      return info === undefined ? entry : { ...entry, content: contentOf(new TextEncoder().encode(JSON.stringify({ ...info, path_in_vcs: undefined }))) };
    }),
};

/** `3` and `4` differ in nothing else where every source is a registry: 4 writes the addresses of git sources otherwise (cargo, release notes of 1.78 and 1.83). */
const lockForm = tarRule(
  {
    name: 'crate.lock-form',
    version: 1,
    reason: 'cargo writes locks of format 4 since 1.83 where it wrote format 3, which says the same of packages that come from registries',
  },
  (archive) =>
    withContents(archive, (entry) => {
      if (!LOCK.test(entry.path) || entry.type !== 'file' || entry.content.sizeBytes > MAX_LOCK_BYTES) return entry;
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(entry.content.read());
      if (/^source = "(?!registry\+|sparse\+)/m.test(text)) return entry;
      const same = text.replace(LOCK_FORMAT, '$1version = 3\n');
      return same === text ? entry : { ...entry, content: contentOf(new TextEncoder().encode(same)) };
    }),
);
/** Right below the comment that cargo writes. */
const LOCK_FORMAT = /^((?:#[^\n]*\n)*)version = 4\n/;
const MAX_LOCK_BYTES = 4 * 2 ** 20;

/** How crates are compared: a gzipped tar with files of cargo's own, which differ from version to version. */
const crateRules: ArtifactRules = { format: 'tar.gz', normalizers: [lockOfLibrary, lockForm, vcsInfoForm, manifestForm, ...tarNormalizers], causeOf };

export function cargoRules(fileName: string): ArtifactRules | undefined {
  return fileName.endsWith('.crate') ? crateRules : undefined;
}

function causeOf({ path, upstream, rebuild }: DifferingFile): Cause | undefined {
  const [theirs, ours] = [upstream, rebuild].map((bytes) => new TextDecoder().decode(bytes));
  if (theirs === undefined || ours === undefined) return undefined;
  if (LOCK.test(path) && lockedAlike(theirs, ours)) return 'build-metadata';
  // Whether the commit that it names is the one is asked where the commit is looked for.
  return VCS_INFO.test(path) && readVcsInfo(theirs) !== undefined ? 'build-metadata' : undefined;
}

function vcsInfo({ type, content }: ArchiveEntry): ReturnType<typeof readVcsInfo> {
  return type === 'file' && content.sizeBytes <= MAX_INFO_BYTES ? readVcsInfo(new TextDecoder().decode(content.read())) : undefined;
}
const MAX_INFO_BYTES = 64 * 1024;
