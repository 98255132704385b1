export { type ResolverCode, ResolverError } from './resolver-error.ts';
export { openUvResolver, type UvResolverOptions } from './uv-resolver.ts';
