export { type BrokenFile, type FolderIndex, indexFolder } from './index-folder.ts';
export { type AdvisoriesFolder, type AdvisoriesFolderOptions, openAdvisoriesFolder } from './open-advisories-folder.ts';
