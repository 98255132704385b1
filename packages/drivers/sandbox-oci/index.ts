export { checkSandboxHost, type HostCheck, type HostFinding } from './host-check.ts';
export { type OciSandbox, type OciSandboxOptions, openOciSandbox } from './oci-sandbox.ts';
