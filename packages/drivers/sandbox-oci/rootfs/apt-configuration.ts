import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What this machine's apt is configured to use: read only, and only when asked. */
export interface AptConfiguration {
  /** `sources.list` and the files of `sources.list.d`. */
  readonly sources: readonly { readonly name: string; readonly text: string }[];
  /** `bookworm`; undefined where no release is installed. */
  readonly codename?: string;
}
const MAX_FILES = 200;

export async function readAptConfiguration(etc = '/etc'): Promise<AptConfiguration> {
  const folder = join(etc, 'apt/sources.list.d');
  const names = (await list(folder)).filter((name) => /\.(list|sources)$/.test(name));
  const paths = [join(etc, 'apt/sources.list'), ...names.map((name) => join(folder, name))];
  const sources = await Promise.all(paths.map(async (name) => ({ name, text: await read(name) })));
  const codename = /^VERSION_CODENAME="?([a-z][a-z0-9-]*)"?$/m.exec(await read(join(etc, 'os-release')))?.[1];
  return { sources: sources.filter(({ text }) => text !== ''), ...(codename === undefined ? {} : { codename }) };
}

/** The keyrings an archive is checked by: those it names (a path, or the key itself), else all that this machine's apt trusts. */
export async function readKeyrings(signedBy: string | undefined, etc = '/etc'): Promise<readonly Uint8Array[]> {
  if (signedBy?.startsWith('-----BEGIN PGP') === true) return [new TextEncoder().encode(signedBy)];
  if (signedBy?.startsWith('/') === true) return [new Uint8Array(await readFile(signedBy))];
  const folder = join(etc, 'apt/trusted.gpg.d');
  const names = (await list(folder)).filter((name) => /\.(gpg|asc)$/.test(name));
  return Promise.all(names.map(async (name) => new Uint8Array(await readFile(join(folder, name)))));
}

async function list(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort().slice(0, MAX_FILES);
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
