import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { availableMemory } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type BlobStore, type RootFilesystems, type RootfsRecipe, SandboxError } from '@granary/contract/ports';
import { canonicalJson, parseSha256, type Sha256, sha256 } from '@granary/core/model';
import { missingPackages, rootfsTools } from '../host-tools.ts';
import { ownPrivilege, type Privilege } from '../privilege.ts';
import { withRoom } from './full-disk.ts';
import { layOutFiles, layOutRepository } from './local-repository.ts';
import { runTool } from './run-tool.ts';
import { sweepAbandoned } from './scratch.ts';
import { unpackedRootfs, unpackRootfs } from './unpacked-rootfs.ts';

export interface RootFilesystemsOptions {
  readonly blobs: BlobStore;
  /** Where they are kept, unpacked, by digest. */
  readonly rootfsCacheDir: string;
  /** On a disk with a gigabyte to spare. */
  readonly scratchDir: string;
}

const FINISH = fileURLToPath(new URL('finish-rootfs.sh', import.meta.url));
const MERGED_USR = '/usr/share/mmdebstrap/hooks/merged-usr';
const TIMEOUT_MS = 900_000;
const ROOMY_BYTES = 3 * 2 ** 30;

/** Opens the maker of root filesystems, and takes away what killed processes left half made. */
export async function openRootFilesystems({ blobs, rootfsCacheDir, scratchDir }: RootFilesystemsOptions): Promise<RootFilesystems> {
  const [cacheDir, scratch] = [resolve(rootfsCacheDir), resolve(scratchDir)];
  for (const folder of [cacheDir, scratch, join(cacheDir, 'recipes')]) await mkdir(folder, { recursive: true });
  await sweepAbandoned(cacheDir, 'unpacking-');
  await sweepAbandoned(scratch, 'rootfs-');
  const making = new Map<Sha256, Promise<Sha256>>();
  return {
    async prepare(recipe, signal) {
      signal?.throwIfAborted();
      const key = recipeDigest(recipe);
      const made = making.get(key) ?? prepared(recipe, key, { blobs, cacheDir, scratch, signal }).finally(() => making.delete(key));
      making.set(key, made);
      return made;
    },
  };
}

/** What a root filesystem is a function of, as one digest. */
export function recipeDigest(recipe: RootfsRecipe): Sha256 {
  return sha256(canonicalJson(JSON.parse(JSON.stringify(recipe))));
}

interface Places {
  readonly blobs: BlobStore;
  readonly cacheDir: string;
  readonly scratch: string;
  /** Of whoever asked first. */
  readonly signal: AbortSignal | undefined;
}

async function prepared(recipe: RootfsRecipe, key: Sha256, places: Places): Promise<Sha256> {
  const note = join(places.cacheDir, 'recipes', key);
  const known = parseSha256((await readFile(note, 'utf8').catch(() => '')).trim());
  if (known !== undefined && (await unpackedRootfs(places.cacheDir, known)) !== undefined) return known;
  const missing = await missingPackages(rootfsTools(ownPrivilege()));
  if (missing.length > 0)
    throw new SandboxError('runtime-missing', `make a root filesystem: install ${missing.join(' ')} (apt-get install ${missing.join(' ')})`);
  const folder = await withRoom(places.scratch, mkdtemp(join(places.scratch, `rootfs-${process.pid}-`)));
  try {
    const tar = await withRoom(places.scratch, make(recipe, folder, places));
    const digest = await withRoom(places.cacheDir, unpackRootfs(places.cacheDir, tar, places.signal));
    await withRoom(places.scratch, writeFile(join(folder, 'note'), `${digest}\n`));
    await rename(join(folder, 'note'), note);
    return digest;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs mmdebstrap on a local archive, without a network, in namespaces of its own: its mounts vanish with it, whatever ends it. */
async function make(recipe: RootfsRecipe, folder: string, { blobs, signal }: Places): Promise<string> {
  if (!/^[a-z][a-z0-9-]*$/.test(recipe.suite) || recipe.packages.some(({ name }) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name))) {
    throw new SandboxError('bad-request', `root filesystem of ${JSON.stringify(recipe.suite)}: a name that is none of Debian's`);
  }
  const archive = await layOutRepository(join(folder, 'archive'), recipe, blobs);
  await layOutFiles(join(folder, 'files'), recipe, blobs);
  await mkdir(join(folder, 'tmp'));
  const tar = join(folder, 'rootfs.tar');
  const privilege = ownPrivilege();
  const env = {
    TMPDIR: join(folder, 'tmp'),
    SOURCE_DATE_EPOCH: `${Math.floor(Date.parse(recipe.release.signedAt) / 1000)}`,
    GRANARY_FINISH: FINISH,
    GRANARY_FILES: join(folder, 'files'),
  };
  const argv = ['mmdebstrap', ...mmdebstrapOptions(recipe, privilege), recipe.suite, tar, archive] as const;
  await runTool(privilege === 'root' ? inNamespaces(argv) : argv, `make a root filesystem of ${recipe.suite}`, { env, timeoutMs: TIMEOUT_MS, signal });
  return tar;
}

function mmdebstrapOptions({ architecture, packages }: RootfsRecipe, privilege: Privilege): readonly string[] {
  return [
    privilege === 'root' ? '--mode=root' : '--mode=fakechroot',
    '--variant=essential',
    '--format=tar',
    '--skip=output/dev',
    `--architectures=${architecture}`,
    `--include=${packages.map(({ name }) => name).join(',')}`,
    // The archive lies where apt's own user may not look, and a clock may lag behind the recipe.
    '--aptopt=APT::Sandbox::User "root"',
    '--aptopt=Acquire::Check-Date "false"',
    '--dpkgopt=force-unsafe-io',
    `--hook-dir=${MERGED_USR}`,
    '--customize-hook=sh "$GRANARY_FINISH" "$1" "$GRANARY_FILES"',
  ];
}

/**
 * With memory to spare it works in memory: thousands of small files that nobody wants on a disk. Without root there are no namespaces:
 * in a user namespace of one user, a change of owner fails in a way that fakeroot doesn't expect.
 */
function inNamespaces(argv: readonly string[]): readonly [string, ...string[]] {
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const script = availableMemory() > ROOMY_BYTES ? 'mount -t tmpfs tmpfs "$TMPDIR" && exec "$@"' : 'exec "$@"';
  return ['unshare', ...namespaces, 'sh', '-c', script, 'sh', ...argv];
}
