export { isPublicAddress } from './address-guard.ts';
export type { HostBudgetLimits } from './host-budget.ts';
export { type HttpUpstreamOptions, openHttpUpstream } from './open-http-upstream.ts';
