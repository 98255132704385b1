import type { RebuildableEcosystem } from '@granary/contract/ecosystem';
import { cargoDemand } from './demand.ts';
import { cargoDiscovery } from './discovery.ts';
import { readDeclared } from './manifest.ts';
import { cargoRebuilding } from './rebuild/index.ts';
import { cargoIndex } from './upstream.ts';
import { cargoViews } from './views.ts';

/** cargo's registry, and what speaks its sparse protocol. */
export const cargo: RebuildableEcosystem = {
  id: 'cargo',
  discovery: cargoDiscovery,
  index: cargoIndex,
  declared: readDeclared,
  demand: cargoDemand,
  views: cargoViews,
  rebuilding: cargoRebuilding,
};
