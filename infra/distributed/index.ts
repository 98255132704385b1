export type { Service } from './service.ts';
export { type Deployment, type DeploymentOptions, type RoleName, type Services, startDeployment, startServices } from './start-deployment.ts';
export { type Process, type Spawned, supervise } from './supervise.ts';
