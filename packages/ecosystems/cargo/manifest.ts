import { type Declared, isSpdxExpression } from '@granary/contract/ecosystem';
import { ArchiveError, DEFAULT_ARCHIVE_LIMITS, findEntry, openArchive } from '@granary/core/archive';
import type { Artifact } from '@granary/core/model';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';

const MAX_MANIFEST_BYTES = 2 ** 20;
const Manifest = z.object({ package: z.object({ license: z.string().max(1000).optional() }) });

/** What a crate says of itself in the Cargo.toml that cargo wrote into it. Untrusted: empty when it can't be read. */
export async function readDeclared(artifact: Artifact, bytes: Uint8Array): Promise<Declared> {
  const text = await manifestText(artifact.fileName.replace(/\.crate$/, ''), bytes);
  const manifest = text === undefined ? undefined : Manifest.safeParse(readToml(text)).data;
  const licence = manifest?.package.license === undefined ? undefined : licenceOf(manifest.package.license);
  return licence === undefined ? {} : { licence };
}

async function manifestText(folder: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    const entry = findEntry(await openArchive(bytes, 'tar.gz', DEFAULT_ARCHIVE_LIMITS), `${folder}/Cargo.toml`);
    if (entry?.type !== 'file' || entry.content.sizeBytes > MAX_MANIFEST_BYTES) return undefined;
    return new TextDecoder().decode(entry.content.read());
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
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
