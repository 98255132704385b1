import { RepositoryError } from '@granary/contract/ports';
import { type ObjectFormat, parseObjectId } from '@granary/core/git';

/** Throws RepositoryError `malformed` for what is no object id of that format: nothing else ever reaches git. */
export function checkObjectIds(format: ObjectFormat, ids: Iterable<string>): void {
  for (const id of ids) {
    if (parseObjectId(id, format) === undefined)
      throw new RepositoryError('malformed', `object id ${JSON.stringify(id.slice(0, 80))}: expected hexadecimal digits of ${format}`);
  }
}
