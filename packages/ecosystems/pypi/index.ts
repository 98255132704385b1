import type { RebuildableEcosystem } from '@granary/contract/ecosystem';
import { pypiAttestations } from './attestations.ts';
import { pypiCandidate } from './candidate.ts';
import { readDeclared } from './core-metadata.ts';
import { pypiDemand } from './demand.ts';
import { pypiDiscovery } from './discovery.ts';
import { pypiRules } from './normalize.ts';
import { pypiRebuild } from './rebuild/index.ts';
import { pypiToolchain } from './toolchain.ts';
import { pypiIndex } from './upstream.ts';
import { pypiViews } from './views.ts';

/** The Python Package Index and what speaks its protocol. */
export const pypi: RebuildableEcosystem = {
  id: 'pypi',
  discovery: pypiDiscovery,
  index: pypiIndex,
  declared: readDeclared,
  attestations: pypiAttestations,
  demand: pypiDemand,
  views: pypiViews,
  rebuilding: {
    strategy: pypiRebuild,
    toolchain: pypiToolchain,
    candidate: pypiCandidate,
    rulesOf: pypiRules,
  },
};
export { sdistRules, wheelRules } from './normalize.ts';
