import { type ClaimedSource, claimedSource } from '@granary/contract/ecosystem';
import { z } from 'zod';

/** `.cargo_vcs_info.json`, which `cargo package` writes (the Cargo book, cargo-package). */
const VcsInfo = z.object({ git: z.object({ sha1: z.string().max(64) }), path_in_vcs: z.string().max(4096).optional() });

/** The page of a folder, which crates of a workspace often name in the place of their repository: owner, name, `tree`, a branch and a path. */
const PAGE = /^(https?:\/\/[^/]+(?:\/[^/]+){2,}?)(?:\/-)?\/tree\/.+$/;

/** What a crate says of its repository, and the commit that it was packed from, with what cargo wrote beside its manifest. */
export function sourceOf(repository: string | undefined, vcsInfo: string | undefined): ClaimedSource | undefined {
  const info = vcsInfo === undefined ? undefined : VcsInfo.safeParse(readJson(vcsInfo)).data;
  return claimedSource({ repository: repository?.replace(PAGE, '$1'), commit: info?.git.sha1, directory: info?.path_in_vcs });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
