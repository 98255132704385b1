import { RepositoryError } from '@granary/contract/ports';

export type ObjectFormat = 'sha1' | 'sha256';

/** gitprotocol-common(5), `obj-id`: lower-case hexadecimal, 40 or 64 digits. Throws RepositoryError `malformed`: nothing else ever reaches git. */
export function checkObjectIds(format: ObjectFormat, ids: Iterable<string>): void {
  const form = format === 'sha1' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/;
  for (const id of ids) {
    if (!form.test(id)) throw new RepositoryError('malformed', `object id ${JSON.stringify(id.slice(0, 80))}: expected hexadecimal digits of ${format}`);
  }
}
