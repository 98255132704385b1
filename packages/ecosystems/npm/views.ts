import type { QuestionAnswer, Route, Views } from '@granary/contract/ecosystem';
import type { Purl } from '@granary/core/model';
import { answerBulk, BULK_ADVISORIES_PATH, MAX_QUESTION_BYTES } from './bulk-advisories.ts';
import { clientHints } from './client-hints.ts';
import { isPackageName, isTarballName, isVersion, nameOf, packagePurl, usualFileName } from './names.ts';
import { KEYS_PATH, renderKeys } from './registry-keys.ts';
import { renderAbbreviated, renderDistTags, renderFull, renderVersion } from './render-packument.ts';

const ABBREVIATED = 'application/vnd.npm.install-v1+json';
const JSON_TYPE = 'application/json';
const TARBALL = /^((?:@[^/]+\/)?[^/]+)\/-\/([^/]+\.tgz)$/;
const PACKAGE = /^((?:@[^/]+\/)?[^/@][^/]*)(?:\/([^/]+))?$/;
const DIST_TAGS = /^-\/package\/(.+)\/dist-tags$/;
const ATTESTATIONS = /^-\/npm\/v1\/attestations\/(.+)@([^@/]+)$/;
const TAG = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}$/;
/** What npm 6, yarn 1 and pnpm up to 10 ask: the whole tree of a project, for a report that says what to do. */
const AUDITS = /^-\/npm\/v1\/security\/audits(?:\/quick)?$/;
const TAGS_DOCUMENT = 'dist-tags';
const VERSION_DOCUMENT = 'version/';

/** What npm, pnpm, yarn and corepack ask of a registry, and what they are answered. */
export const npmViews: Views = {
  route: (path) => registryRoute(path) ?? tarballRoute(path) ?? packageRoute(path),
  mediaTypes(route) {
    switch (route.type) {
      case 'package':
        return [ABBREVIATED, JSON_TYPE];
      case 'artifact':
        return ['application/octet-stream'];
      case 'root':
      case 'fixed':
      case 'companion':
        return [JSON_TYPE];
    }
  },
  renderPackage(view, mediaType, document) {
    if (document === TAGS_DOCUMENT) return renderDistTags(view);
    if (document?.startsWith(VERSION_DOCUMENT)) return renderVersion(view, document.slice(VERSION_DOCUMENT.length));
    return mediaType === ABBREVIATED ? renderAbbreviated(view) : renderFull(view);
  },
  // The answer to a ping, the only such document.
  renderFixed: () => new TextEncoder().encode('{}'),
  renderEvidence: (_, held) => renderKeys(held),
  answerQuestion: async (name, body, { advisories }) => (name === 'advisories' ? await answerBulk(body, advisories) : OLD_AUDIT),
  renderRoot: (packages) => new TextEncoder().encode(JSON.stringify({ packages: packages.map(nameOf).filter(isPackageName) })),
  clientHints,
};

/** What only clients ask that are kept up no longer. */
const OLD_AUDIT: QuestionAnswer = {
  type: 'refused',
  status: 410,
  why: `this old form of audit is not answered; npm 7 and newer, pnpm 11 and newer and yarn 2 and newer ask ${BULK_ADVISORIES_PATH}, which is`,
};

/** What lies beside the packages: all of it begins with `-/`. */
function registryRoute(path: string): Route | undefined {
  if (path === '') return { type: 'root' };
  if (path === '-/ping') return { type: 'fixed', name: 'ping' };
  if (path === KEYS_PATH) return { type: 'evidence', name: 'keys', mediaType: JSON_TYPE };
  if (path === BULK_ADVISORIES_PATH) return { type: 'question', name: 'advisories', maxBodyBytes: MAX_QUESTION_BYTES };
  if (AUDITS.test(path)) return { type: 'question', name: 'audit', maxBodyBytes: MAX_QUESTION_BYTES };
  const [, tagged = ''] = DIST_TAGS.exec(path) ?? [];
  if (isPackageName(tagged)) return { type: 'package', package: packagePurl(tagged), document: TAGS_DOCUMENT };
  const [, name = '', version = ''] = ATTESTATIONS.exec(path) ?? [];
  if (!isPackageName(name) || !isVersion(version)) return undefined;
  return { type: 'companion', packages: [packagePurl(name)], artifact: { fileName: usualFileName(name, version) }, companion: 'attestations' };
}

function tarballRoute(path: string): Route | undefined {
  const [, name = '', fileName = ''] = TARBALL.exec(path) ?? [];
  return isPackageName(name) && isTarballName(fileName) ? { type: 'artifact', packages: [packagePurl(name)], path } : undefined;
}

function packageRoute(path: string): Route | undefined {
  const [, name = '', versionOrTag] = PACKAGE.exec(path) ?? [];
  if (!isPackageName(name) || (name === '-' && versionOrTag !== undefined)) return undefined;
  const of: Purl = packagePurl(name);
  if (versionOrTag === undefined) return { type: 'package', package: of };
  return TAG.test(versionOrTag) ? { type: 'package', package: of, document: `${VERSION_DOCUMENT}${versionOrTag}` } : undefined;
}
