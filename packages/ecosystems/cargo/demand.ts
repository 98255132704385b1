import { type DemandRules, EcosystemError, type Wish } from '@granary/contract/ecosystem';
import { parsePurl, purlParts } from '@granary/core/model';
import { satisfies } from 'semver';
import { lockedByCargo } from './lockfiles.ts';
import { isCrateName, isVersion, packagePurl } from './names.ts';
import { parseRequirement } from './requirement.ts';
import { resolveRequirements } from './resolve.ts';

const LOCKFILE = /(^|\/)Cargo\.lock$/;

export const cargoDemand: DemandRules = {
  wishOfPurl,
  isLockfile: (fileName) => LOCKFILE.test(fileName),
  manifests: [{ fileName: 'Cargo.toml', locksBy: 'cargo generate-lockfile' }],
  wishOfLockfile(fileName, bytes): Wish {
    if (!LOCKFILE.test(fileName)) throw new EcosystemError('unsupported', `lockfile ${fileName}: expected Cargo.lock`);
    return { type: 'pins', label: fileName, ...lockedByCargo(fileName, new TextDecoder().decode(bytes)) };
  },
  packageOfPin: ({ name }) => packagePurl(name),
  admits(requirement, version) {
    const range = parseRequirement(requirement.slice(requirement.indexOf(' ') + 1));
    // Cargo leaves prereleases out; who builds wants what was published.
    return range !== undefined && satisfies(version, range.raw, { includePrerelease: true });
  },
  pinOfPurl(purl) {
    const { type, name, version } = purlParts(purl);
    return type === 'cargo' && isCrateName(name) && version !== undefined && isVersion(version) ? { name, version } : undefined;
  },
  resolve: resolveRequirements,
};

/** `pkg:cargo/serde`, with `@1.0.0` for one version, `@^1` for what cargo would take, or `?vers=vers:cargo/>=1.0|<2` (the VERS notation). */
function wishOfPurl(text: string): Wish | undefined {
  if (!text.startsWith('pkg:cargo/')) return undefined;
  const purl = parsePurl(text.split('?', 1)[0] ?? '');
  if (purl === undefined) throw new EcosystemError('bad-spec', `${text}: not a package URL such as pkg:cargo/serde@1.0.200`);
  const { name, namespace, version } = purlParts(purl);
  if (namespace !== undefined || !isCrateName(name)) throw new EcosystemError('bad-spec', `${text}: not the name of a crate`);
  const range = /[?&]vers=([^&]*)/.exec(text)?.[1];
  if (version !== undefined && range !== undefined) throw new EcosystemError('bad-spec', `${text}: a version or a range, not both`);
  const requirements = range === undefined ? [requirementOf(text, version)] : requirementsOfVers(text, decode(text, range));
  return { type: 'requirements', label: text, requirements: requirements.map((requirement) => `${name} ${requirement}`) };
}

/** A whole version means itself, as ever in a package URL; what has an operator is cargo's own notation. */
function requirementOf(text: string, version: string | undefined): string {
  if (version === undefined) return '*';
  if (isVersion(version)) return `=${version}`;
  if (!/[\^~=<>*]/.test(version)) throw new EcosystemError('bad-spec', `${text}: ${version} is no whole version; write @^${version} for what it allows`);
  if (parseRequirement(version) === undefined) throw new EcosystemError('bad-spec', `${text}: ${version} is neither a version nor a requirement such as ^1.2`);
  return version;
}

/** VERS (package-url/vers-spec): intervals and single versions with `|` between them. The newest of each is wanted. */
function requirementsOfVers(text: string, range: string): readonly string[] {
  const constraints = /^vers:cargo\/(.+)$/.exec(range)?.[1]?.split('|') ?? [];
  const requirements: string[] = [];
  let lower: string | undefined;
  for (const constraint of constraints) {
    const [, operator, version = ''] = /^(>=|<=|<|>|=)?([0-9A-Za-z.+-]+)$/.exec(constraint) ?? [];
    const requirement = `${operator ?? '='}${version}`;
    if (parseRequirement(requirement) === undefined) throw new EcosystemError('bad-spec', `${text}: expected a range such as vers:cargo/>=1.0|<2`);
    if (lower !== undefined && !requirement.startsWith('<')) requirements.push(lower);
    if (requirement.startsWith('>')) lower = requirement;
    else {
      requirements.push(lower !== undefined && requirement.startsWith('<') ? `${lower}, ${requirement}` : requirement);
      lower = undefined;
    }
  }
  if (lower !== undefined) requirements.push(lower);
  if (requirements.length === 0) throw new EcosystemError('bad-spec', `${text}: expected a range such as vers:cargo/>=1.0|<2`);
  return requirements;
}

function decode(text: string, encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new EcosystemError('bad-spec', `${text}: not percent-encoded as an address is`, { cause });
  }
}
