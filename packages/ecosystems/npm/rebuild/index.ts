export { resolveBuild } from './resolve-build.ts';
export { npmRebuild } from './strategy.ts';
