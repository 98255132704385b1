import { type DemandRules, EcosystemError, type Wish } from '@granary/contract/ecosystem';
import { parsePurl, purlParts } from '@granary/core/model';
import { satisfies, valid } from '@renovatebot/pep440';
import { lockedByPylock, lockedByRequirements, lockedByUv } from './lockfiles.ts';
import { normalizeName, normalizeVersion, packagePurl } from './names.ts';

const LOCKFILES = [
  { matches: /(^|\/)uv\.lock$/, read: lockedByUv },
  { matches: /(^|\/)pylock(\.[^/]+)?\.toml$/, read: lockedByPylock },
  // `dev-requirements.txt`, and `requirements/main.txt`.
  { matches: /(^|\/)([^/]*requirements[^/]*|requirements\/[^/]+)\.txt$/, read: lockedByRequirements },
];

export const pypiDemand: DemandRules = {
  wishOfPurl,
  isLockfile: (fileName) => LOCKFILES.some(({ matches }) => matches.test(fileName)),
  manifests: [
    { fileName: 'pyproject.toml', locksBy: 'uv lock' },
    { fileName: 'Pipfile', locksBy: 'pipenv requirements --hash > requirements.txt' },
  ],
  wishOfLockfile(fileName, bytes): Wish {
    const format = LOCKFILES.find(({ matches }) => matches.test(fileName));
    if (format === undefined) throw new EcosystemError('unsupported', `lockfile ${fileName}: expected uv.lock, pylock.toml or a requirements.txt with hashes`);
    return { type: 'pins', label: fileName, ...format.read(fileName, new TextDecoder().decode(bytes)) };
  },
  packageOfPin: ({ name }) => packagePurl(name),
  admits(requirement, version) {
    const specifier = requirement.replace(/^[a-z0-9-]+/, '');
    return specifier === '' || satisfies(version, specifier, { prereleases: true });
  },
  pinOfPurl(purl) {
    const { type, name, version } = purlParts(purl);
    return type === 'pypi' && version !== undefined ? { name: normalizeName(name), version: normalizeVersion(version) ?? version } : undefined;
  },
};

/** PEP 508, names. */
const PROJECT_NAME = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i;

/** `pkg:pypi/flask`, with `@3.0.3` for one version, `@^3` or `?vers=vers:pypi/>=3.0|<4` (the VERS notation) for a range. */
function wishOfPurl(text: string): Wish | undefined {
  if (!text.startsWith('pkg:pypi/')) return undefined;
  const purl = parsePurl(text.split('?', 1)[0] ?? '');
  if (purl === undefined) throw new EcosystemError('bad-spec', `${text}: not a package URL such as pkg:pypi/flask@3.0.3`);
  const [, name = '', version] = /^pkg:pypi\/([^@]+)(?:@(.+))?$/.exec(decodeURIComponent(purl)) ?? [];
  if (!PROJECT_NAME.test(name)) throw new EcosystemError('bad-spec', `${text}: ${name} is no name of a Python project`);
  const range = /[?&]vers=([^&]*)/.exec(text)?.[1];
  const caret = version === undefined ? undefined : caretRange(version);
  if (caret !== undefined && range === undefined) return { type: 'requirements', label: text, requirements: [`${normalizeName(name)}${caret}`] };
  if (version !== undefined && valid(version) === null) throw new EcosystemError('bad-spec', `${text}: ${version} is no PEP 440 version`);
  if (version !== undefined && range !== undefined) throw new EcosystemError('bad-spec', `${text}: a version or a range, not both`);
  const specifiers = range === undefined ? [version === undefined ? '' : `==${version}`] : specifiersOf(text, decodeURIComponent(range));
  return { type: 'requirements', label: text, requirements: specifiers.map((specifier) => `${normalizeName(name)}${specifier}`) };
}

/** `^2.1` as other ecosystems write it: up to the next release that may break, by the first number that isn't zero. */
function caretRange(text: string): string | undefined {
  const [, release] = /^\^(\d{1,9}(?:\.\d{1,9}){0,5})$/.exec(text) ?? [];
  if (release === undefined) return undefined;
  const numbers = release.split('.').map(Number);
  const at = Math.max(0, numbers.some((number) => number > 0) ? numbers.findIndex((number) => number > 0) : numbers.length - 1);
  const next = [...numbers.slice(0, at), (numbers[at] ?? 0) + 1].join('.');
  return `>=${release},<${next}`;
}

/** VERS (package-url/vers-spec) to PEP 440 specifier sets, one for each interval and each single version between `|`; what is excluded is so from all. */
function specifiersOf(text: string, range: string): readonly string[] {
  const constraints = /^vers:pypi\/(.+)$/.exec(range)?.[1]?.split('|') ?? [];
  const specifiers: string[] = [];
  const excluded: string[] = [];
  let lower: string | undefined;
  for (const constraint of constraints) {
    const [, operator = '=', version = ''] = /^(>=|<=|!=|<|>|=)?\s*([^\s<>=!|*]+)$/.exec(constraint) ?? [];
    if (valid(version) === null) throw new EcosystemError('bad-spec', `${text}: expected a range such as vers:pypi/>=3.0|<4`);
    const specifier = `${operator === '=' ? '==' : operator}${version}`;
    if (operator === '!=') excluded.push(specifier);
    else if (lower !== undefined && operator.startsWith('<')) [specifiers[specifiers.length - 1], lower] = [`${lower},${specifier}`, undefined];
    else {
      specifiers.push(specifier);
      lower = operator.startsWith('>') ? specifier : undefined;
    }
  }
  if (constraints.length === 0) throw new EcosystemError('bad-spec', `${text}: expected a range such as vers:pypi/>=3.0|<4`);
  return (specifiers.length === 0 ? [''] : specifiers).map((specifier) => [...(specifier === '' ? [] : [specifier]), ...excluded].join(','));
}
