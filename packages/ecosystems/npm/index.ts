import type { Ecosystem } from '@granary/contract/ecosystem';
import { readDeclared } from './declared.ts';
import { npmDemand } from './demand.ts';
import { npmDiscovery } from './discovery.ts';
import { checkSignatures } from './evidence.ts';
import { npmInstalling } from './installing/installing.ts';
import { npmIndex } from './upstream.ts';
import { npmViews } from './views.ts';

/** The npm registry and what speaks its protocol: for npm, pnpm and yarn. */
export const npm: Ecosystem = {
  id: 'npm',
  discovery: npmDiscovery,
  index: npmIndex,
  declared: readDeclared,
  check: checkSignatures,
  demand: npmDemand,
  views: npmViews,
  installing: npmInstalling,
};
