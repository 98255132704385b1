export { missingGitPackages } from './git-tools.ts';
export { openRepositories, type RepositoriesOptions } from './open-repositories.ts';
