export { type Deployment, type DeploymentOptions, startDeployment } from './start-deployment.ts';
export { type Process, type Spawned, supervise } from './supervise.ts';
