import { EcosystemError, type Toolchain } from '@granary/contract/ecosystem';

/**
 * cargo of the distribution, and git, which makes a repository of the source: cargo packs what git tracks. `cargo-web` is the newer of two that can't stand beside each other in
 * one root filesystem; the other is of 2022.
 */
export const cargoToolchain: Toolchain = {
  systemPackages: ['cargo-web', 'git'],
  tools: [],
  select: () => undefined,
  async unpack({ fileName }) {
    throw new EcosystemError('unsupported', `${fileName}: no tool of a root filesystem is a crate`);
  },
  usualRuntimeVersion: '1.85.0',
  runtimeVersion(systemPackages) {
    const version = systemPackages.find(({ name }) => name === 'cargo-web')?.version;
    return version === undefined ? undefined : /\d+\.\d+\.\d+/.exec(version)?.[0];
  },
};
