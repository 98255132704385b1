import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type BlobStore, type RootfsRecipe, SandboxError } from '@granary/contract/ports';
import { sha256 } from '@granary/core/model';
import { copyBlob } from './copy-blob.ts';

const MAX_PACKED_INDEX_BYTES = 128 * 2 ** 20;
const MAX_INDEX_BYTES = 512 * 2 ** 20;

/**
 * Lays out an archive that holds the packages of a recipe and nothing else, so that there is nothing to choose. Resolves to its line for
 * apt. It needs no signature: the recipe names each package by digest, and every digest is checked here.
 */
export async function layOutRepository(folder: string, recipe: RootfsRecipe, blobs: BlobStore): Promise<string> {
  const listed = await listedStanzas(recipe, blobs);
  const stanzas: string[] = [];
  for (const [index, { name, sha256: digest }] of recipe.packages.entries()) {
    const path = `pool/${index}.deb`;
    const file = join(folder, path);
    const stanza = listed.get(digest);
    if (stanza === undefined) throw new SandboxError('bad-request', `root filesystem of ${recipe.suite}: its index doesn't list ${name} with sha256 ${digest}`);
    await copyBlob(blobs, digest, file);
    stanzas.push(`${stanza}\nFilename: ${path}\nSize: ${(await stat(file)).size}\nSHA256: ${digest}\n`);
  }
  const packages = Buffer.from(stanzas.join('\n'));
  await writeFile(join(folder, 'Packages'), packages);
  await writeFile(join(folder, 'Release'), releaseFile(recipe, packages));
  return `deb [trusted=yes] ${pathToFileURL(folder).href.replace('file://', 'copy:')} ./`;
}

/** Places the recipe's own files below a folder, as they will lie below the root. */
export async function layOutFiles(folder: string, recipe: RootfsRecipe, blobs: BlobStore): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { path, sha256: digest, executable } of recipe.files) {
    if (!/^(\/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)+$/.test(path))
      throw new SandboxError('bad-request', `root filesystem: ${JSON.stringify(path)} is no plain absolute path`);
    await copyBlob(blobs, digest, join(folder, path), executable ? 0o755 : 0o644);
  }
}

/** The stanzas of the recipe's packages in the stored index, by digest, without what says where the file lies. */
async function listedStanzas(recipe: RootfsRecipe, blobs: BlobStore): Promise<ReadonlyMap<string, string>> {
  const gzip = await blobs.read(recipe.packagesIndex.sha256, MAX_PACKED_INDEX_BYTES);
  if (gzip === undefined) throw new SandboxError('rootfs-missing', `read blob ${recipe.packagesIndex.sha256}: the index of packages is not in the store`);
  if (sha256(gzip) !== recipe.packagesIndex.sha256)
    throw new SandboxError('infrastructure', `read blob ${recipe.packagesIndex.sha256}: the store holds other bytes under that name`);
  const index = gunzipSync(gzip, { maxOutputLength: MAX_INDEX_BYTES });
  const stanzas = new Map<string, string>();
  for (const { sha256: digest } of recipe.packages) {
    const at = index.indexOf(`\nSHA256: ${digest}\n`);
    if (at === -1) continue;
    const blank = index.indexOf('\n\n', at);
    const text = index.toString('utf8', index.lastIndexOf('\n\n', at) + 2, blank === -1 ? index.length : blank);
    stanzas.set(digest, text.replace(/^(?:Filename|Size|MD5sum|SHA1|SHA256|SHA512): .*\n?/gim, '').trim());
  }
  return stanzas;
}

/** The suite is named, because essential packages are looked for in the suite that is being made. */
function releaseFile({ suite, architecture, release }: RootfsRecipe, packages: Uint8Array): string {
  const date = new Date(release.signedAt).toUTCString();
  const fields = ['Origin: Granary', `Suite: ${suite}`, `Codename: ${suite}`, `Architectures: ${architecture}`, 'Components: main', `Date: ${date}`];
  return [...fields, 'SHA256:', ` ${sha256(packages)} ${packages.length} Packages`, ''].join('\n');
}
