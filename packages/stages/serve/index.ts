export type { HeldFile, Holding } from './holding.ts';
export { openServe, type Serve } from './open-serve.ts';
export { meets, type Policy, type PolicyAnswer } from './policy.ts';
export type { Pulled, PullRefusal, PullThrough } from './pull-through.ts';
export type { Gauge, Redirects, ServedEcosystem, ServePorts, Site } from './serve-ports.ts';
export { takeView, type View, viewPath } from './view.ts';
