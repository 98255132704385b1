import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Privilege } from './privilege.ts';

const SEARCHED = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** What the host's own tools see: nothing of our environment, and one language, because their output is read. */
export const TOOL_ENVIRONMENT: Readonly<Record<string, string>> = { PATH: SEARCHED.join(':'), LC_ALL: 'C.UTF-8' };

/** Tool → Debian package that brings it. */
export const RUN_TOOLS: Readonly<Record<string, string>> = {
  crun: 'crun',
  bash: 'bash',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
  ip: 'iproute2',
  socat: 'socat',
  tar: 'tar',
  grep: 'grep',
  cat: 'coreutils',
};
/** As {@link RUN_TOOLS}, to make root filesystems. Without root, a user's files stand in for root's. */
export function rootfsTools(privilege: Privilege): Readonly<Record<string, string>> {
  const tools = {
    mmdebstrap: 'mmdebstrap',
    'apt-get': 'apt',
    'dpkg-deb': 'dpkg',
    unshare: 'util-linux',
    setpriv: 'util-linux',
    setsid: 'util-linux',
    tar: 'tar',
    sync: 'coreutils',
  };
  return privilege === 'root' ? tools : { ...tools, fakechroot: 'fakechroot', fakeroot: 'fakeroot' };
}

/** Packages to install, sorted; empty when every tool is there. */
export async function missingPackages(tools: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [tool, debianPackage] of Object.entries(tools)) if (!(await isInstalled(tool))) missing.push(debianPackage);
  return [...new Set(missing)].sort();
}

async function isInstalled(tool: string): Promise<boolean> {
  for (const folder of SEARCHED) {
    const found = await access(join(folder, tool), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
