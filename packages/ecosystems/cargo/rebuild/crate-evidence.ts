import type { Parameter } from '@granary/contract/ecosystem';
import { type Archive, type ArchiveEntry, findEntry, readTarGz, type TarArchive } from '@granary/core/archive';
import { z } from 'zod';

/** What cargo saw of a repository. `no-commit`: files that git tracks, so that some of them begin with a dot, and no commit that it would name; `none`: nothing. */
export const VERSION_CONTROLS = ['git', 'no-commit', 'none'] as const;
type VersionControl = (typeof VERSION_CONTROLS)[number];

/** What a published crate says of how it was packed. Read from untrusted bytes. */
export interface CrateEvidence {
  /** The Cargo.lock in it. */
  readonly lock: string | undefined;
  readonly versionControl: VersionControl;
  /** Versions of cargo that leave such traces, and by what they are told. */
  readonly parameters: readonly Parameter[];
}

const MAX_TEXT_BYTES = 4 * 2 ** 20;
/** What cargo writes of time into files that it makes: 1 until 1.85, afterwards the constant of all its files. */
const LATER_STAMP = 1_153_704_088;
const VcsInfo = z.looseObject({ git: z.looseObject({ sha1: z.string() }), path_in_vcs: z.string().optional() });

/** Undefined for what has no manifest that cargo wrote. Throws ArchiveError. */
export function readCrateEvidence(fileName: string, bytes: Uint8Array): CrateEvidence | undefined {
  const archive = readTarGz(bytes);
  const folder = fileName.replace(/\.crate$/, '');
  const manifest = textAt(archive, `${folder}/Cargo.toml`);
  if (manifest === undefined) return undefined;
  const info = textAt(archive, `${folder}/.cargo_vcs_info.json`);
  const lock = textAt(archive, `${folder}/Cargo.lock`);
  const hasDotFiles = archive.entries.some(({ path }) => /\/\.(?!cargo_vcs_info\.json$)/.test(path));
  const versionControl = info !== undefined ? 'git' : hasDotFiles ? 'no-commit' : 'none';
  const { value, from } = cargoOf({ manifest, info, hasLock: lock !== undefined, stamp: stampOf(archive, `${folder}/Cargo.toml`) });
  const noCommit: Parameter = { name: 'version control', value: versionControl, from: 'no .cargo_vcs_info.json' };
  return { lock, versionControl, parameters: [{ name: 'cargo', value, from }, ...(versionControl === 'git' ? [] : [noCommit])] };
}

interface Traces {
  readonly manifest: string;
  readonly info: string | undefined;
  readonly hasLock: boolean;
  readonly stamp: number | undefined;
}

/** Which cargo, by what its releases changed in what they write; a binary had a lock before 1.84 as well. */
function cargoOf({ manifest, info, hasLock, stamp }: Traces): Pick<Parameter, 'value' | 'from'> {
  if (stamp === LATER_STAMP && hasLock) return { value: 'after 1.85', from: 'time stamp of Cargo.toml' };
  if (!manifest.includes('are reading this file be aware that the original')) return { value: 'up to 1.54', from: 'first lines of Cargo.toml' };
  if (info !== undefined && readVcsInfo(info)?.path_in_vcs === undefined) return { value: '1.55 or 1.56', from: '.cargo_vcs_info.json without a path' };
  return hasLock ? { value: 'up to 1.85', from: 'time stamp of Cargo.toml' } : { value: '1.57 to 1.83', from: 'no Cargo.lock' };
}

export function readVcsInfo(text: string): z.output<typeof VcsInfo> | undefined {
  try {
    return VcsInfo.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function stampOf({ entries }: TarArchive, path: string): number | undefined {
  return entries.find((entry) => entry.path === path)?.header.mtime;
}

/** Undefined where there is none, it is no file or too large. */
export function textAt(archive: Archive, path: string): string | undefined {
  const entry: ArchiveEntry | undefined = findEntry(archive, path);
  if (entry?.type !== 'file' || entry.content.sizeBytes > MAX_TEXT_BYTES) return undefined;
  return new TextDecoder().decode(entry.content.read());
}
