import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BlobStore, SandboxError } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import { copyBlob } from './copy-blob.ts';
import { runTool } from './run-tool.ts';
import { sweepAbandoned } from './scratch.ts';

export interface ChooseRequest {
  readonly suite: string;
  readonly component: string;
  readonly architecture: string;
  readonly include: readonly string[];
  readonly release: Sha256;
  /** Its path is below the suite's folder. */
  readonly packagesIndex: { readonly path: string; readonly sha256: Sha256 };
}
export interface AptResolver {
  /** Everything essential, what is asked for and what those need, without what they only recommend. Reads stored blobs only. */
  choose(request: ChooseRequest): Promise<readonly { readonly name: string; readonly version: string }[]>;
}

/** The machine's apt as a resolver, with a configuration, a state and an archive of its own: it neither sees nor changes what is installed here. */
export function openAptResolver({ blobs, scratchDir }: { readonly blobs: BlobStore; readonly scratchDir: string }): AptResolver {
  const scratch = resolve(scratchDir);
  return {
    async choose(request) {
      if (request.include.some((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name)))
        throw new SandboxError('bad-request', `choose packages: ${request.include.join(' ')}: a name that is none of Debian's`);
      await mkdir(scratch, { recursive: true });
      await sweepAbandoned(scratch, 'apt-');
      const folder = await mkdtemp(join(scratch, `apt-${process.pid}-`));
      try {
        return await choose(request, folder, blobs);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function choose(request: ChooseRequest, folder: string, blobs: BlobStore): Promise<readonly { readonly name: string; readonly version: string }[]> {
  const archive = join(folder, 'archive');
  const suite = join(archive, 'dists', request.suite);
  await copyBlob(blobs, request.release, join(suite, 'InRelease'));
  await copyBlob(blobs, request.packagesIndex.sha256, join(suite, request.packagesIndex.path));
  for (const part of ['etc', 'state/lists/partial', 'cache/archives/partial']) await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  // Its signature was checked when it was stored; by digest it is that same file.
  await writeFile(join(folder, 'etc/sources.list'), `deb [trusted=yes by-hash=no] ${pathToFileURL(archive).href} ${request.suite} ${request.component}\n`);
  await writeFile(join(folder, 'apt.conf'), configuration(folder, request.architecture));
  const env = { APT_CONFIG: join(folder, 'apt.conf') };
  await runTool(['apt-get', '-qq', 'update'], `read the index of ${request.suite}`, { env });
  const output = await runTool(['apt-get', '-qq', '--print-uris', 'install', '?essential', ...request.include], `choose packages of ${request.suite}`, { env });
  return output.split('\n').flatMap(parseLine);
}

function configuration(folder: string, architecture: string): string {
  const settings = {
    Dir: folder,
    'Dir::State': 'state',
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': 'cache',
    'Dir::Etc': 'etc',
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'APT::Get::Assume-Yes': 'true',
    // Else apt takes itself for essential.
    'pkgCacheGen::ForceEssential': ',',
    'Acquire::Languages': 'none',
    'Acquire::Check-Date': 'false',
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::CompressionTypes::Order': 'gz',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} "${value}";\n`)
    .join('');
}

/** `'file:/…/bash_5.2.15-2%2bb8_amd64.deb' bash_5.2.15-2+b8_amd64.deb 1490612 MD5Sum:…`; in the second, only the epoch's colon is encoded. */
function parseLine(line: string): readonly { readonly name: string; readonly version: string }[] {
  const [, name, version] = /^'[^']+' ([^_ ]+)_([^_ ]+)_[^_ ]+\.deb \d+ /.exec(line) ?? [];
  return name === undefined || version === undefined ? [] : [{ name, version: decodeURIComponent(version) }];
}
