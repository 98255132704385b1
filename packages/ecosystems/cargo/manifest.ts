import { type Declared, isSpdxExpression } from '@granary/contract/ecosystem';
import { ArchiveError, DEFAULT_ARCHIVE_LIMITS, findEntry, openArchive } from '@granary/core/archive';
import type { Artifact } from '@granary/core/model';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { sourceOf } from './source.ts';

const MAX_MANIFEST_BYTES = 2 ** 20;
const Manifest = z.object({ package: z.object({ license: z.string().max(1000).optional(), repository: z.string().max(4096).optional().catch(undefined) }) });

/** What a crate says of itself in the Cargo.toml that cargo wrote into it. Untrusted: empty when it can't be read. */
export async function readDeclared(artifact: Artifact, bytes: Uint8Array): Promise<Declared> {
  const folder = artifact.fileName.replace(/\.crate$/, '');
  const [text, vcsInfo] = await textsOf(bytes, [`${folder}/Cargo.toml`, `${folder}/.cargo_vcs_info.json`]);
  const manifest = text === undefined ? undefined : Manifest.safeParse(readToml(text)).data?.package;
  const licence = manifest?.license === undefined ? undefined : licenceOf(manifest.license);
  const source = sourceOf(manifest?.repository, vcsInfo);
  return { ...(licence === undefined ? {} : { licence }), ...(source === undefined ? {} : { source }) };
}

/** Undefined for each that isn't there, isn't a file or is too large. */
async function textsOf(bytes: Uint8Array, paths: readonly string[]): Promise<readonly (string | undefined)[]> {
  try {
    const archive = await openArchive(bytes, 'tar.gz', DEFAULT_ARCHIVE_LIMITS);
    return paths.map((path) => {
      const entry = findEntry(archive, path);
      if (entry?.type !== 'file' || entry.content.sizeBytes > MAX_MANIFEST_BYTES) return undefined;
      return new TextDecoder().decode(entry.content.read());
    });
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}

function readToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TomlError) return undefined;
    throw error;
  }
}

/** An SPDX expression; in older manifests `/` stands for OR (the Cargo book, the license field). */
function licenceOf(text: string): string | undefined {
  const expression = text.trim().replace(/\s*\/\s*/g, ' OR ');
  return isSpdxExpression(expression) ? expression : undefined;
}
