import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CargoHome } from '../clients/cargo-home.ts';
import type { PublishedCrate } from './loopback-crates.ts';

export interface SampleCrate {
  readonly name: string;
  readonly version: string;
  readonly publishedAt: string;
  /** Requirements, by name. */
  readonly dependencies?: Readonly<Record<string, string>>;
  /** What its source says of itself: other text, other bytes. */
  readonly says?: string;
}

const Metadata = z.object({
  packages: z.array(
    z.object({
      name: z.string(),
      features: z.record(z.string(), z.array(z.string())),
      dependencies: z.array(
        z.object({
          name: z.string(),
          req: z.string(),
          kind: z.string().nullable(),
          optional: z.boolean(),
          uses_default_features: z.boolean(),
          features: z.array(z.string()),
          target: z.string().nullable(),
        }),
      ),
    }),
  ),
});

/** Packaged by the real cargo, with what a registry's index would say of it. What it needs must be published. */
export async function packageCrate(folder: string, sample: SampleCrate, owner: CargoHome): Promise<PublishedCrate> {
  return await packageProject(await writeCrate(folder, sample), sample, owner);
}

/** The same of a project that is there. */
export async function packageProject(
  project: string,
  { name, version, publishedAt }: Pick<SampleCrate, 'name' | 'version' | 'publishedAt'>,
  owner: CargoHome,
): Promise<PublishedCrate> {
  const metadata = await mustCargo(owner, ['metadata', '--no-deps', '--format-version', '1', '--quiet'], project);
  const found = Metadata.parse(JSON.parse(metadata)).packages.find((one) => one.name === name);
  if (found === undefined) throw new Error(`cargo metadata of ${project}: no ${name}`);
  const { features, dependencies } = found;
  await mustCargo(owner, ['package', '--no-verify', '--allow-dirty', '--quiet', '--target-dir', 'target'], project);
  const deps = dependencies.map(({ kind, uses_default_features, ...dependency }) => ({
    ...dependency,
    default_features: uses_default_features,
    kind: kind ?? 'normal',
  }));
  const bytes = await readFile(join(project, 'target/package', `${name}-${version}.crate`));
  return { name, version, publishedAt, deps, features, bytes };
}

async function writeCrate(folder: string, { name, version, dependencies = {}, says = `${name} ${version}` }: SampleCrate): Promise<string> {
  const project = join(folder, `${name}-${version}-${says.length}`);
  await mkdir(join(project, 'src'), { recursive: true });
  const about = `name = "${name}"\nversion = "${version}"\nedition = "2021"\nlicense = "EUPL-1.2"\ndescription = "A sample"\n`;
  const needs = Object.entries(dependencies).map(([dependency, requirement]) => `${dependency} = "${requirement}"\n`);
  await writeFile(join(project, 'Cargo.toml'), `[package]\n${about}[dependencies]\n${needs.join('')}`);
  await writeFile(join(project, 'src/lib.rs'), `pub const SAYS: &str = "${says}";\n`);
  return project;
}

async function mustCargo(owner: CargoHome, args: readonly string[], project: string): Promise<string> {
  const { code, said } = await owner.cargo(args, project);
  if (code !== 0) throw new Error(`cargo ${args.join(' ')}: exit ${code}\n${said}`);
  return said;
}
