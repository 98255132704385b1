import type { Ecosystem } from '@granary/contract/ecosystem';
import { golangDemand } from './demand.ts';
import { golangDiscovery } from './discovery.ts';
import { checkModule, readDeclared } from './evidence.ts';
import { golangRebuilding } from './rebuild/strategy.ts';
import { golangIndex } from './upstream.ts';
import { golangViews } from './views.ts';

/** Go modules: the GOPROXY protocol and the checksum database. */
export const golang: Ecosystem = {
  id: 'golang',
  discovery: golangDiscovery,
  index: golangIndex,
  declared: readDeclared,
  check: checkModule,
  demand: golangDemand,
  views: golangViews,
  rebuilding: golangRebuilding,
};
