import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layerOf, mayImport } from './import-table.ts';
import { sourceFacts } from './source-facts.ts';
import { sourceFiles, textOf } from './source-tree.ts';
import { declaredBy, ownerOf, workspacePackages } from './workspace-packages.ts';

const packages = workspacePackages();
const folderOf = new Map(packages.map(({ folder, manifest }) => [manifest.name, folder]));
const rootDeclares = declaredBy(packages.find(({ folder }) => folder === '')?.manifest ?? expect.fail('the root has a package.json'));
const sources = sourceFiles()
  .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes('/fixtures/'))
  .map((path) => ({ path, owner: ownerOf(path, packages), imports: sourceFacts(path, textOf(path) ?? '').imports }));

describe('the import table', () => {
  it('has a row for every package of the workspace', () => {
    expect(packages.filter(({ folder }) => layerOf(folder) === undefined).map(({ folder }) => folder)).toEqual([]);
  });

  it('lets an outer layer import an inner one, and never the other way round or sideways', () => {
    expect(mayImport('packages/stages/sync', 'packages/core')).toBe(true);
    expect(mayImport('packages/stages/sync', 'packages/stages/judge')).toBe(false);
    expect(mayImport('packages/stages/sync', 'packages/drivers/store-fs')).toBe(false);
    expect(mayImport('packages/core', 'packages/contract')).toBe(false);
    expect(mayImport('packages/ecosystems/pypi', 'packages/ecosystems/deb')).toBe(false);
    expect(mayImport('packages/ecosystems/all', 'packages/ecosystems/deb')).toBe(true);
    expect(mayImport('test', 'apps/granary')).toBe(false);
    expect(mayImport('apps/granary', 'packages/somewhere/else')).toBe(false);
    expect(mayImport('packages/drivers/store-fs', 'infra/services')).toBe(false);
    expect(mayImport('packages/drivers/store-fs', 'infra/services', 'tests')).toBe(true);
  });

  it('holds for what every package.json names', () => {
    const refused = packages.flatMap(({ folder, manifest }) =>
      Object.keys(declaredBy(manifest))
        .filter((name) => folderOf.has(name) && !mayImport(folder, folderOf.get(name) ?? '', name in manifest.devDependencies ? 'tests' : 'any'))
        .map((name) => `${folder}/package.json names ${name}`),
    );

    expect(refused).toEqual([]);
  });

  it('holds for what every source file imports', () => {
    const refused = sources.flatMap(({ path, owner, imports }) =>
      imports
        .map(packageNameOf)
        .filter((name) => name !== undefined && folderOf.has(name) && !mayImport(owner?.folder ?? '', folderOf.get(name) ?? '', isTest(path) ? 'tests' : 'any'))
        .map((name) => `${path} imports ${name}`),
    );

    expect(refused).toEqual([]);
  });

  it('is not walked around by a relative path into another package, or by a path only known at run time', () => {
    const refused = sources.flatMap(({ path, owner, imports }) =>
      imports
        .filter((specifier) => specifier === '(computed)' || (specifier.startsWith('.') && ownerOf(join(dirname(path), specifier), packages) !== owner))
        .map((specifier) => `${path} imports ${specifier}`),
    );

    expect(refused).toEqual([]);
  });

  it('finds every imported package declared by the package that imports it; tests may use the root’s own tools', () => {
    const undeclared = sources.flatMap(({ path, owner, imports }) => {
      const declared = { ...(isTest(path) ? rootDeclares : {}), ...declaredBy(owner?.manifest ?? expect.fail(`${path} lies in no package`)) };
      return imports
        .map(packageNameOf)
        .filter((name) => name !== undefined && name !== owner?.manifest.name && !(name in declared))
        .map((name) => `${path} imports ${name}`);
    });

    expect(undeclared).toEqual([]);
  });
});

/** Tests of one package, and the folders that are nothing but tests and measurements. */
function isTest(path: string): boolean {
  return /\.(test|lane)\.ts$/.test(path) || path.includes('/test/') || path.startsWith('test/') || path.startsWith('bench/');
}

function packageNameOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || isBuiltin(specifier)) return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
