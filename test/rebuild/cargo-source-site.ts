import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CargoHome, makeCargoHome } from '../clients/cargo-home.ts';
import { type LoopbackCrates, openLoopbackCrates, type PublishedCrate } from '../upstream/loopback-crates.ts';
import { openLoopbackForge } from '../upstream/loopback-forge.ts';
import { packageProject } from '../upstream/sample-crates.ts';

/** A registry of crates and a forge of our own: crates are packed by the real cargo from real repositories, and some of them are altered on the way. */
export interface CargoSourceSite extends AsyncDisposable {
  readonly configFile: string;
  readonly upstream: LoopbackCrates;
  readonly owner: CargoHome;
  /** Makes a repository with two commits, the second of them tagged. Resolves to its work tree. */
  commit(name: string, files: Files, tag?: string): Promise<string>;
  /** Packs a folder. */
  pack(folder: string, about: About): Promise<PublishedCrate>;
}
export type Files = Readonly<Record<string, string>>;
interface About {
  readonly name: string;
  readonly version: string;
  readonly publishedAt: string;
}

export async function openCargoSourceSite(folder: string, watch: readonly string[]): Promise<CargoSourceSite> {
  const upstream = await openLoopbackCrates();
  const forge = await openLoopbackForge(join(folder, 'forge'));
  const owner = makeCargoHome(folder, upstream);
  const configFile = join(folder, 'granary.yaml');
  const repositories = { mirror: 'named-by-packages', insteadOf: { 'https://forge.example/': forge.base } };
  writeFileSync(configFile, JSON.stringify({ watch, upstreams: { cargo: { index: upstream.index } }, repositories, data: 'data' }));
  return {
    configFile,
    upstream,
    owner,
    pack: (project, about) => packageProject(project, about, owner),
    async commit(name, files, tag = 'v1.0.0') {
      const repository = await forge.create(`owner/${name}`);
      const work = (await repository.git('rev-parse', '--show-toplevel')).trim();
      writeFileSync(join(work, 'begun'), 'here\n');
      await repository.git('add', '--all');
      await repository.git('commit', '--quiet', '--message', 'begin');
      rmSync(join(work, 'begun'));
      writeFiles(work, files);
      await repository.git('add', '--all');
      await repository.git('commit', '--quiet', '--message', 'release');
      await repository.git('tag', tag);
      await repository.git('push', '--quiet', 'origin', 'main', tag);
      return work;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([upstream.close(), forge.close()]);
    },
  };
}

/** The same crate after `change` was done to its folder, as somebody else would pack it. */
export function altered(folder: string, crate: PublishedCrate, change: (unpacked: string) => void): PublishedCrate {
  const [place, name] = [join(folder, 'altered', crate.name), `${crate.name}-${crate.version}`];
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'before.crate'), crate.bytes);
  execFileSync('tar', ['-xzf', 'before.crate'], { cwd: place });
  change(join(place, name));
  const files = readdirSync(join(place, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1)).sort();
  execFileSync('tar', ['-czf', 'after.crate', '--owner=0', '--group=0', '--mtime=@1', ...paths], { cwd: place });
  return { ...crate, bytes: readFileSync(join(place, 'after.crate')) };
}

function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
