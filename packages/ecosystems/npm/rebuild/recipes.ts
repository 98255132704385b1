import type { Comparison } from '@granary/core/compare';
import type { Project } from './project.ts';
import { BY_ROOT, type Manager, type Recipe } from './recipe.ts';

/** Run by packing itself (npm docs, scripts: life cycle of `npm pack`). */
const PACK_SCRIPTS = ['prepack', 'prepare'];
/** What people run before they publish, the usual one first. `prepublish`: npm 6 and before ran it then. */
const BEFORE_PACKING = ['build', 'prepublishOnly', 'prepublish'];

/**
 * Ways to make the package of a commit, in the order in which they are worth trying, each only where it can add something to what is known of its files: packing alone where the commit
 * has them all, else with what is run to make those that it lacks. First with what the project's lock names, then with nothing installed, for scripts that need nothing.
 */
export function recipesOf(project: Project, files: Pick<Comparison, 'rung' | 'residue'>): readonly Recipe[] {
  const packing = base(project, { manager: 'none', tool: '', project: project.directory });
  const isInCommit = files.rung !== 'none' || files.residue.every(({ kind }) => kind === 'mode');
  if (isInCommit) return [packing];
  const installed = installedBy(project);
  const ways = installed === undefined ? [packing] : [installed, packing];
  return [...(isWritten(project, files) ? rewriting(project, installed ?? packing) : []), ...ways.flatMap((way) => running(project, way))];
}

/** Packed by the tool that turns its ranges into others, where the project has one that does. */
function base(project: Project, by: Pick<Recipe, 'manager' | 'tool' | 'project'>): Recipe {
  const packer = project.needsOwnPacker && (by.manager === 'pnpm' || by.manager === 'yarn') ? by.manager : 'npm';
  return { ...by, directory: project.directory, projectScripts: [], scripts: [], packScripts: false, packer, version: project.version, ...BY_ROOT };
}

function installedBy(project: Project): Recipe | undefined {
  const { lock, ranges } = project;
  if (lock !== undefined) return base(project, { manager: lock.manager, tool: lock.tool, project: lock.project });
  return ranges.length === 0 ? undefined : base(project, { manager: 'npm-install', tool: '', project: project.directory });
}

/** Is the package.json all that differs, and written anew when it is packed? */
function isWritten(project: Project, { residue }: Pick<Comparison, 'residue'>): boolean {
  return (project.needsOwnPacker || project.version !== '') && residue.every(({ path, kind }) => kind === 'mode' || /^[^/]+\/package\.json$/.test(path));
}

function rewriting(project: Project, way: Recipe): readonly Recipe[] {
  return [project.needsOwnPacker ? way : { ...way, ...NOTHING_INSTALLED, project: project.directory, packer: 'npm' }];
}
const NOTHING_INSTALLED: { readonly manager: Manager; readonly tool: string } = { manager: 'none', tool: '' };

function running(project: Project, way: Recipe): readonly Recipe[] {
  const packed = { ...way, packScripts: true };
  return [
    ...(PACK_SCRIPTS.some((name) => project.scripts.has(name)) ? [packed] : []),
    ...BEFORE_PACKING.filter((name) => project.scripts.has(name)).map((name) => ({ ...packed, scripts: [name] })),
    ...(project.projectScripts.has('build') ? [{ ...packed, projectScripts: ['build'] }] : []),
  ];
}
