import type { LocalRepository } from '@granary/contract/ports';
import { LIMITS, type OpenedDriver, openDriver } from './open-driver.ts';
import { commitOf, idOf, type RawObject, rawPack, treeOf } from './raw-pack.ts';
import { inPieces, type UpstreamRepository } from './upstream-repository.ts';

/** A repository here that has taken in all that these tips reach. */
export async function heldFrom(upstream: UpstreamRepository, tips: readonly string[], objectFormat: 'sha1' | 'sha256' = 'sha1'): Promise<LocalRepository> {
  const repository = await (await openDriver()).open([], objectFormat);
  await repository.take(inPieces(upstream.pack(tips)), tips, LIMITS);
  return repository;
}

/** A repository here with a commit of a tree that no git would write. */
export async function heldCommit(
  entries: readonly (readonly [mode: string, name: string, id: string])[],
  objects: readonly RawObject[],
): Promise<{ readonly repository: LocalRepository; readonly commit: string; readonly driver: OpenedDriver }> {
  const tree = treeOf(entries);
  const tip = commitOf(idOf('tree', tree.bytes));
  const commit = idOf('commit', tip.bytes);
  const driver = await openDriver();
  const repository = await driver.open();
  await repository.take(inPieces(rawPack([tip, tree, ...objects])), [commit], LIMITS);
  return { repository, commit, driver };
}

/** Trees that hold each other, the last ten times in each: `depth` of them name 10 to the power of `depth` of `leaf`. */
export function nestedTrees(
  depth: number,
  leaf: { readonly mode: string; readonly id: string },
  name = '',
): readonly (RawObject & { readonly type: 'tree' })[] {
  const trees: (RawObject & { readonly type: 'tree' })[] = [];
  let entry = leaf;
  for (let level = 0; level < depth; level += 1) {
    const { mode, id } = entry;
    const tree = treeOf(Array.from({ length: 10 }, (_, n) => [mode, `${n}${name}`, id] as const));
    trees.push(tree);
    entry = { mode: '40000', id: idOf('tree', tree.bytes) };
  }
  return trees;
}
