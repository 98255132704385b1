import { type DemandRules, EcosystemError, type Wish } from '@granary/contract/ecosystem';
import { purlParts } from '@granary/core/model';
import { satisfies, validRange } from 'semver';
import type { Locked } from './lockfiles/locked-pins.ts';
import { pinsOfPackageLock } from './lockfiles/package-lock.ts';
import { pinsOfPnpmLock } from './lockfiles/pnpm-lock.ts';
import { pinsOfYarnLock } from './lockfiles/yarn-lock.ts';
import { isPackageName, isVersion, nameOf, packagePurl } from './names.ts';
import { parseRequirement, splitRequirement } from './requirement.ts';
import { resolveRequirements } from './resolve.ts';
import { rangeOfVers } from './vers-range.ts';

const LOCKFILES: readonly { readonly matches: RegExp; readonly read: (fileName: string, text: string) => Locked }[] = [
  { matches: /(^|\/)(package-lock|npm-shrinkwrap)\.json$/, read: pinsOfPackageLock },
  { matches: /(^|\/)pnpm-lock\.yaml$/, read: pinsOfPnpmLock },
  { matches: /(^|\/)yarn\.lock$/, read: pinsOfYarnLock },
];

export const npmDemand: DemandRules = {
  wishOfPurl,
  isLockfile: (fileName) => LOCKFILES.some(({ matches }) => matches.test(fileName)),
  manifests: [{ fileName: 'package.json', locksBy: 'npm install --package-lock-only' }],
  wishOfLockfile(fileName, bytes): Wish {
    const format = LOCKFILES.find(({ matches }) => matches.test(fileName));
    if (format === undefined)
      throw new EcosystemError('unsupported', `lockfile ${fileName}: expected package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml or yarn.lock`);
    return { type: 'pins', label: fileName, ...format.read(fileName, new TextDecoder().decode(bytes)) };
  },
  packageOfPin: ({ name }) => packagePurl(name),
  admits(requirement, version) {
    const { spec } = splitRequirement(requirement);
    if (validRange(spec, { loose: true }) === null)
      throw new EcosystemError('bad-spec', `${spec.slice(0, 100)} is a tag, which moves; expected versions, such as ^5`);
    // A range of npm leaves prereleases out; who builds wants what was published.
    return satisfies(version, spec, { loose: true, includePrerelease: true });
  },
  pinOfPurl(purl) {
    const { type, version } = purlParts(purl);
    return type === 'npm' && version !== undefined ? { name: nameOf(purl), version } : undefined;
  },
  resolve: resolveRequirements,
};

const PURL = /^pkg:npm\/((?:(?:@|%40)[^/?#@]+(?:\/|%2f))?[^/?#@]+)(?:@([^?#]*))?(?:\?([^#]*))?$/i;

/** `pkg:npm/express` is the newest, `@4.18.2` one version, `@^5` or `?vers=vers:npm/>=5.0.0|<6.0.0` a range. Names keep their capitals. */
function wishOfPurl(text: string): Wish | undefined {
  if (!text.startsWith('pkg:npm/')) return undefined;
  const [, rawName = '', rawSpec, qualifiers = ''] = PURL.exec(text) ?? [];
  const name = decoded(text, rawName);
  if (!isPackageName(name)) throw new EcosystemError('bad-spec', `${text}: not a package URL such as pkg:npm/express@^5`);
  const vers = /(?:^|&)vers=([^&]*)/.exec(qualifiers)?.[1];
  if (rawSpec !== undefined && vers !== undefined) throw new EcosystemError('bad-spec', `${text}: a version or a range, not both`);
  const spec = vers === undefined ? decoded(text, rawSpec ?? '*') : rangeOfVers(decoded(text, vers));
  if (spec === undefined) throw new EcosystemError('bad-spec', `${text}: expected a range such as vers:npm/>=5.0.0|<6.0.0`);
  if (!isVersion(spec) && validRange(spec) === null && !/^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(spec))
    throw new EcosystemError('bad-spec', `${text}: ${spec.slice(0, 100)} is no version, range or tag`);
  parseRequirement(name, spec);
  return { type: 'requirements', label: text, requirements: [`${name}@${spec}`] };
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new EcosystemError('bad-spec', `${text}: not a package URL`);
  }
}
