export { checkSandboxHost, type HostCheck, type HostFinding } from './host-check.ts';
export { type OciSandbox, type OciSandboxOptions, openOciSandbox } from './oci-sandbox.ts';
export { type AptConfiguration, readAptConfiguration, readKeyrings } from './rootfs/apt-configuration.ts';
export { type AptResolver, type ChooseRequest, openAptResolver } from './rootfs/apt-resolver.ts';
export { openRootFilesystems, type RootFilesystemsOptions, recipeDigest } from './rootfs/root-filesystems.ts';
