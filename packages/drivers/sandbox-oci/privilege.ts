import { geteuid } from 'node:process';

/** Who runs the wrapper. As `user` the kernel gives namespaces, but no cgroups: limits are weaker. */
export type Privilege = 'root' | 'user';

export function ownPrivilege(): Privilege {
  return geteuid?.() === 0 ? 'root' : 'user';
}
