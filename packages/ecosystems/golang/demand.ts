import { type DemandRules, EcosystemError, type Wish } from '@granary/contract/ecosystem';
import { purlParts } from '@granary/core/model';
import { lockedByGoSum } from './lockfiles.ts';
import { isModulePath, modulePurl, pathOf, unescapeCase } from './names.ts';
import { resolveModules } from './resolve.ts';
import { isVersion } from './versions.ts';

const GO_SUM = /(^|\/)go\.sum$/;

export const golangDemand: DemandRules = {
  wishOfPurl,
  isLockfile: (fileName) => GO_SUM.test(fileName),
  manifests: [{ fileName: 'go.mod', locksBy: 'go mod tidy' }],
  wishOfLockfile(fileName, bytes): Wish {
    if (!GO_SUM.test(fileName)) throw new EcosystemError('unsupported', `lockfile ${fileName}: expected go.sum`);
    return { type: 'pins', label: fileName, pins: lockedByGoSum(fileName, new TextDecoder().decode(bytes)) };
  },
  packageOfPin: ({ name }) => modulePurl(name),
  pinOfPurl(purl) {
    const { type, version } = purlParts(purl);
    const path = pathOf(purl);
    return type === 'golang' && isModulePath(path) && version !== undefined && isVersion(version) ? { name: path, version } : undefined;
  },
  resolve: resolveModules,
};

/** `pkg:golang/golang.org/x/mod` for its newest version, with `@v0.17.0` for that one. Go has no ranges. */
function wishOfPurl(text: string): Wish | undefined {
  if (!text.startsWith('pkg:golang/')) return undefined;
  const [, name = '', version] = /^pkg:golang\/([^@?#]+)(?:@([^?#]+))?/.exec(text) ?? [];
  const path = decode(name);
  if (!isModulePath(path)) throw new EcosystemError('bad-spec', `${text}: ${path} is no path of a module`);
  if (version === undefined) return { type: 'requirements', label: text, requirements: [path] };
  if (!isVersion(decode(version)) || /[?&]vers=/.test(text))
    throw new EcosystemError('bad-spec', `${text}: expected a whole version such as v1.2.3; Go modules have no ranges`);
  return { type: 'requirements', label: text, requirements: [`${path}@${decode(version)}`] };
}

/** Also as proxies write it, with `!` before small letters that stand for capitals. */
function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    return decoded.includes('!') ? (unescapeCase(decoded) ?? '') : decoded;
  } catch {
    return '';
  }
}
