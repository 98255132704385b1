import { RepositoryError, type ShownRefs } from '@granary/contract/ports';
import { isRefName } from '@granary/core/git';
import { NO_HEAD } from './bare-repository.ts';
import type { Peeled } from './look-up-objects.ts';

/**
 * `packed-refs` as git writes it (gitrepository-layout(5)): sorted, and with what each tag comes to, so that no object need be read to show them.
 * Throws RepositoryError `malformed` for a name that git would not allow, `incomplete` for an object that isn't here.
 */
export function packedRefs({ refs }: ShownRefs, peeled: ReadonlyMap<string, Peeled>): string {
  // git sorts names by their bytes, which UTF-16 code units don't always.
  const sorted = [...refs].filter(([name]) => name !== 'HEAD').sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = ['# pack-refs with: peeled fully-peeled sorted '];
  for (const [name, objectId] of sorted) {
    if (!isRefName(name)) throw new RepositoryError('malformed', `show refs: ${JSON.stringify(name.slice(0, 200))} is not a name that a ref may have`);
    const target = presentTarget(name, objectId, peeled);
    lines.push(`${objectId} ${name}`);
    if (target !== objectId) lines.push(`^${target}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The file `HEAD`: a branch, an object where `refs` says so, or nothing that a client is shown. */
export function headFile({ refs, head }: ShownRefs, peeled: ReadonlyMap<string, Peeled>): string {
  if (head !== undefined) {
    if (!isRefName(head))
      throw new RepositoryError('malformed', `show refs: HEAD names ${JSON.stringify(head.slice(0, 200))}, which is not a name that a ref may have`);
    return `ref: ${head}\n`;
  }
  const detached = refs.get('HEAD');
  return detached === undefined ? NO_HEAD : `${presentTarget('HEAD', detached, peeled)}\n`;
}

function presentTarget(name: string, objectId: string, peeled: ReadonlyMap<string, Peeled>): string {
  const target = peeled.get(objectId);
  if (target === undefined) throw new RepositoryError('incomplete', `show refs: ${name} points to ${objectId}, which none of the packs has`);
  return target.objectId;
}
