import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../clients/run.ts';
import { cleanEnvironment } from '../machine/uv.ts';
import { bringOnce } from './bring-once.ts';
import { type Peer, type PeerPlace, startPeer } from './peer.ts';

const VERSION = '6.10.4';

/** A proxy of one npm registry, with the settings that docs/with-others.md names. */
export async function startVerdaccio({ folder, upstream, inside }: PeerPlace): Promise<Peer> {
  const installed = await bringOnce(`verdaccio-${VERSION}`, install);
  mkdirSync(folder, { recursive: true });
  const configuration = join(folder, 'config.yaml');
  writeFileSync(
    configuration,
    `storage: ${join(folder, 'storage')}
uplinks: { granary: { url: ${upstream} } }
packages: { '**': { access: $all, proxy: granary } }
web: { enable: false }
log: { type: stdout, format: json, level: warn }
`,
  );
  return await startPeer({
    argv: (port) => [process.execPath, join(installed, 'node_modules/verdaccio/bin/verdaccio'), '--config', configuration, '--listen', `127.0.0.1:${port}`],
    env: { ...cleanEnvironment(), NODE_USE_SYSTEM_CA: '1' },
    cwd: folder,
    ready: '/-/ping',
    ...(inside === undefined ? {} : { inside }),
  });
}

async function install(folder: string): Promise<void> {
  // One of its dependencies asks for a dist-tag, which not every registry has.
  writeFileSync(join(folder, 'package.json'), '{"private":true,"overrides":{"node-fetch":"2.7.0"}}\n');
  await mustRun(['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', `verdaccio@${VERSION}`], { cwd: folder });
}
