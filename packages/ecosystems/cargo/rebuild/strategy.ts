import type { Rebuilding, RebuildStrategy } from '@granary/contract/ecosystem';
import { crateCommits } from './commits.ts';
import { compileBuild, OWN_VARIABLES } from './compile.ts';
import { cargoRules } from './crate-rules.ts';
import { classifyFailure } from './failures.ts';
import { propose } from './propose.ts';
import { resolveBuild } from './resolve-build.ts';
import { cargoToolchain } from './toolchain.ts';

/** Packs crates anew from the commit that they were packed from. */
const strategy: RebuildStrategy = {
  engine: 1,
  eligible: ({ fileName }) => (fileName.endsWith('.crate') ? { ok: true } : { ok: false, failureClass: 'unsupported-backend' }),
  commits: crateCommits,
  installableOf: (release) => release.find(({ fileName }) => fileName.endsWith('.crate')),
  propose,
  compile: compileBuild,
  readNeeds: () => undefined,
  classifyFailure,
  written: { ownVariables: OWN_VARIABLES },
};

export const cargoRebuilding: Rebuilding = { strategy, toolchain: cargoToolchain, resolve: resolveBuild, rulesOf: cargoRules };
