export { missingGitPackages } from './git-tools.ts';
export { checkGitHost, type GitHost } from './git-version.ts';
export { openRepositories, type RepositoriesOptions } from './open-repositories.ts';
