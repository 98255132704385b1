export { locateSource } from './locate.ts';
export { type BuiltMetadata, buildMetadata, type MetadataPorts } from './metadata.ts';
export { planAttempt } from './plan.ts';
export type { BuildEnvironment, FetchedBytes, MirrorSocket, PlanPorts, RunPorts } from './rebuild-ports.ts';
export type { ResolvePorts } from './resolve-closure.ts';
export { type BuildOrder, readDefinition, runDefinition } from './run.ts';
export { type TryInstallPorts, tryInstall } from './try-install.ts';
