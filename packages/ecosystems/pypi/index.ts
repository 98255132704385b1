import type { Ecosystem } from '@granary/contract/ecosystem';
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
export const pypi: Ecosystem = {
  id: 'pypi',
  discovery: pypiDiscovery,
  toolchain: pypiToolchain,
  index: pypiIndex,
  candidate: pypiCandidate,
  declared: readDeclared,
  demand: pypiDemand,
  rebuild: pypiRebuild,
  views: pypiViews,
  rulesOf: pypiRules,
};
export { sdistRules, wheelRules } from './normalize.ts';
