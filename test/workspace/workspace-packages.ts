import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { sourceFiles, textOf } from './source-tree.ts';

const Dependencies = z.record(z.string(), z.string()).default({});

const Manifest = z.object({
  name: z.string(),
  private: z.boolean().optional(),
  license: z.string().optional(),
  type: z.string().optional(),
  exports: z.unknown().optional(),
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: Dependencies,
  devDependencies: Dependencies,
  optionalDependencies: Dependencies,
  peerDependencies: Dependencies,
});
export type Manifest = z.output<typeof Manifest>;

export type WorkspacePackage = { readonly folder: string; readonly manifest: Manifest };

/** Every package of the workspace; the root's own folder is the empty text. */
export function workspacePackages(): readonly WorkspacePackage[] {
  return sourceFiles()
    .filter((path) => basename(path) === 'package.json' && !path.includes('/fixtures/'))
    .map((path) => ({ folder: dirname(path) === '.' ? '' : dirname(path), manifest: Manifest.parse(JSON.parse(textOf(path) ?? '')) }));
}

/** The package a file belongs to: the innermost folder with a package.json. */
export function ownerOf(path: string, packages: readonly WorkspacePackage[]): WorkspacePackage | undefined {
  return packages.filter(({ folder }) => folder === '' || path.startsWith(`${folder}/`)).toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/** All packages a manifest names, whatever for. */
export function declaredBy(manifest: Manifest): Readonly<Record<string, string>> {
  return { ...manifest.peerDependencies, ...manifest.optionalDependencies, ...manifest.devDependencies, ...manifest.dependencies };
}
