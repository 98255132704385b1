import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { SandboxInput } from '@granary/contract/ports';
import { type Pack, pack } from 'tar-stream';
import { pump } from './pump.ts';

/** Who owns what is placed, as numbered by the wrapper. */
interface Placed {
  readonly configs: readonly object[];
  readonly inputs: readonly SandboxInput[];
  readonly ownerId: number;
}

/** Packs the configurations of the phases and the inputs as wrapper.sh expects them, and ends the target. */
export async function packInputs(target: Writable, { configs, inputs, ownerId }: Placed): Promise<void> {
  const tar = pack();
  // Only a target that is gone comes here, and whoever ended it knows.
  tar.on('error', () => undefined);
  tar.pipe(target);
  for (const [phase, config] of configs.entries())
    await packBytes(tar, { name: `bundles/${phase}/config.json`, mode: 0o600, uid: 0, gid: 0 }, Buffer.from(JSON.stringify(config)));
  // A tar whose entries lack their folders would be unpacked into folders that the building user may not write to.
  for (const folder of foldersOf(inputs))
    await packBytes(tar, { name: `work/${folder}`, type: 'directory', mode: 0o755, uid: ownerId, gid: ownerId }, undefined);
  for (const { path, content, executable } of inputs) {
    const header = { name: `work/${path}`, mode: executable === true ? 0o755 : 0o644, uid: ownerId, gid: ownerId };
    if ('bytes' in content) await packBytes(tar, header, Buffer.from(content.bytes));
    else await packFile(tar, header, content.file);
  }
  tar.finalize();
}

type Header = Parameters<Pack['entry']>[0];

function packBytes(tar: Pack, header: Header, bytes: Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (cause?: Error | null): void => (cause ? reject(cause) : resolve());
    if (bytes === undefined) tar.entry(header, done);
    else tar.entry(header, bytes, done);
  });
}

async function packFile(tar: Pack, header: Header, file: string): Promise<void> {
  const { size } = await stat(file);
  await pump(createReadStream(file), tar.entry({ ...header, size }));
}

/** Every folder above an input, parents first. */
function foldersOf(inputs: readonly SandboxInput[]): readonly string[] {
  const folders = new Set<string>();
  for (const { path } of inputs) {
    const parts = path.split('/').slice(0, -1);
    for (const index of parts.keys()) folders.add(parts.slice(0, index + 1).join('/'));
  }
  return [...folders].sort();
}
