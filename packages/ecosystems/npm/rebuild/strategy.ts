import type { RebuildStrategy } from '@granary/contract/ecosystem';
import { npmCommits } from './commits.ts';
import { compileBuild, OWN_VARIABLES } from './compile.ts';
import { classifyFailure } from './failures.ts';
import { propose } from './propose.ts';

/** Packs tarballs anew from the commits that they were made from. */
export const npmRebuild: RebuildStrategy = {
  engine: 2,
  eligible: ({ fileName }) => (fileName.endsWith('.tgz') ? { ok: true } : { ok: false, failureClass: 'malformed-artifact' }),
  commits: npmCommits,
  installableOf: (release) => release.find(({ fileName }) => fileName.endsWith('.tgz')),
  propose,
  compile: compileBuild,
  readNeeds: () => undefined,
  classifyFailure,
  written: { ownVariables: OWN_VARIABLES },
};
