/** The layers of the tree, outermost last. `ecosystems-all` is the one folder that knows every ecosystem by name. */
export type Layer = 'core' | 'contract' | 'config' | 'ecosystem' | 'ecosystems-all' | 'driver' | 'stage' | 'app' | 'services' | 'deployment' | 'whole-tree';

/**
 * Who may import whom. A package may always import itself; nobody imports an app, and nobody imports the tests of the whole tree. Tests and
 * the whole tree, and nothing that runs in production, import `services` as well; a trial `deployment` starts them.
 */
const MAY_IMPORT: Readonly<Record<Layer, readonly Layer[]>> = {
  core: [],
  contract: ['core'],
  config: ['core'],
  ecosystem: ['core', 'contract'],
  'ecosystems-all': ['core', 'contract', 'ecosystem'],
  driver: ['core', 'contract'],
  stage: ['core', 'contract'],
  app: ['core', 'contract', 'config', 'ecosystem', 'ecosystems-all', 'driver', 'stage'],
  services: [],
  deployment: ['services'],
  'whole-tree': ['core', 'contract', 'config', 'ecosystem', 'ecosystems-all', 'driver', 'stage', 'services', 'deployment'],
};

/** The layer a package's folder lies in; undefined where the table has no row: such a folder must not exist. */
export function layerOf(folder: string): Layer | undefined {
  if (folder === 'packages/core') return 'core';
  if (folder === 'packages/contract') return 'contract';
  if (folder === 'packages/config') return 'config';
  if (folder === 'packages/ecosystems/all') return 'ecosystems-all';
  if (/^packages\/ecosystems\/[^/]+$/.test(folder)) return 'ecosystem';
  if (/^packages\/drivers\/[^/]+$/.test(folder)) return 'driver';
  if (/^packages\/stages\/[^/]+$/.test(folder)) return 'stage';
  if (/^apps\/[^/]+$/.test(folder)) return 'app';
  if (folder === 'infra/services') return 'services';
  if (folder === 'infra/distributed') return 'deployment';
  return folder === '' || folder === 'test' || folder === 'bench' ? 'whole-tree' : undefined;
}

/** Whether a package in one folder may import the package in another: from anywhere in it, or from its tests alone. */
export function mayImport(importer: string, imported: string, by: 'any' | 'tests' = 'any'): boolean {
  if (importer === imported || (by === 'tests' && layerOf(imported) === 'services')) return true;
  const from = layerOf(importer);
  const to = layerOf(imported);
  return from !== undefined && to !== undefined && MAY_IMPORT[from].includes(to);
}
