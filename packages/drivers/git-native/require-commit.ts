import { RepositoryError } from '@granary/contract/ports';
import { type LookUp, peelObjects } from './look-up-objects.ts';

/** The commit that this id comes to when tags are followed. Throws RepositoryError `incomplete` where it isn't here, `malformed` where it comes to no commit. */
export async function requireCommit(lookUp: LookUp, what: string, objectId: string): Promise<string> {
  const found = (await peelObjects(lookUp, [objectId])).get(objectId);
  if (found === undefined) throw new RepositoryError('incomplete', `${what}: ${objectId} isn't here: take in a pack that has it first`);
  if (found.type !== 'commit') throw new RepositoryError('malformed', `${what}: ${objectId} comes to a ${found.type}, and not to a commit`);
  return found.objectId;
}
