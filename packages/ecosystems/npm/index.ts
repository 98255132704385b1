import type { RebuildableEcosystem } from '@granary/contract/ecosystem';
import { npmAttestations } from './attestations.ts';
import { readDeclared } from './declared.ts';
import { npmDemand } from './demand.ts';
import { npmDiscovery } from './discovery.ts';
import { checkSignatures } from './evidence.ts';
import { npmInstalling } from './installing/installing.ts';
import { npmRules } from './normalize.ts';
import { npmRebuild, resolveBuild } from './rebuild/index.ts';
import { npmToolchain } from './toolchain.ts';
import { npmIndex } from './upstream.ts';
import { npmViews } from './views.ts';

/** The npm registry and what speaks its protocol: for npm, pnpm and yarn. */
export const npm: RebuildableEcosystem = {
  id: 'npm',
  discovery: npmDiscovery,
  index: npmIndex,
  declared: readDeclared,
  check: checkSignatures,
  attestations: npmAttestations,
  demand: npmDemand,
  views: npmViews,
  rebuilding: { strategy: npmRebuild, toolchain: npmToolchain, resolve: resolveBuild, rulesOf: npmRules },
  installing: npmInstalling,
};
