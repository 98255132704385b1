import type { Route, Views } from '@granary/contract/ecosystem';
import type { Purl } from '@granary/core/model';
import { nameOf, normalizeName, packagePurl, parseFileName } from './names.ts';
import { renderPackageHtml, renderRootHtml } from './render-html.ts';
import { renderPackageJson, renderRootJson } from './render-json.ts';

const JSON_V1 = 'application/vnd.pypi.simple.v1+json';
const HTML_V1 = 'application/vnd.pypi.simple.v1+html';
const PROJECT = /^simple\/([A-Za-z0-9](?:[A-Za-z0-9._-]{0,254}[A-Za-z0-9])?)(\/?)$/;
const FILE = /^packages\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{60}\/([^/]+)$/;
const PROVENANCE = /^integrity\/([^/]+)\/[^/]+\/([^/]+)\/provenance$/;

/** Hashed requirements carry no addresses. */
const KEEP_UV_LOCK =
  'uv export --quiet --frozen --no-emit-project --output-file locked.txt && uv venv --quiet --allow-existing && uv pip sync --require-hashes --python .venv locked.txt';
/** uv keeps the versions of the file that is there. */
const REMAKE_PYLOCK = 'uv pip compile --quiet --universal --format pylock.toml --output-file pylock.toml pyproject.toml';

/** What pip, uv and poetry ask of an index (PEP 503, 658, 691, 714, 740), and what they are answered. */
export const pypiViews: Views = {
  route: (path) => rootRoute(path) ?? packageRoute(path) ?? fileRoute(path) ?? provenanceRoute(path),
  mediaTypes(route) {
    switch (route.type) {
      case 'root':
      case 'package':
      case 'fixed':
        return [JSON_V1, HTML_V1, 'text/html'];
      case 'artifact':
        return ['application/octet-stream'];
      case 'companion':
        return [route.companion === 'provenance' ? 'application/vnd.pypi.integrity.v1+json' : 'text/plain; charset=utf-8'];
    }
  },
  renderPackage: (view, mediaType) => (mediaType === JSON_V1 ? renderPackageJson(view) : renderPackageHtml(view)),
  renderRoot(packages, mediaType) {
    const names = packages.map(nameOf);
    return mediaType === JSON_V1 ? renderRootJson(names) : renderRootHtml(names);
  },
  clientHints: (address) => [
    `pip   pip install --index-url ${address}/pypi/simple/ NAME      (or: export PIP_INDEX_URL=${address}/pypi/simple/)`,
    `uv    export UV_DEFAULT_INDEX=${address}/pypi/simple/            then uv sync, uv pip sync as ever`,
    `      only what was reproduced: ${address}/verified/pypi/simple/`,
    // Tests run what stands between backticks, as it stands.
    'locks uv sync --frozen and --locked fetch from the addresses in uv.lock, not from the index. Once, with UV_DEFAULT_INDEX set: `uv lock` (same versions, same hashes, our addresses)',
    `      or leave the lock alone: \`${KEEP_UV_LOCK}\``,
    `      pylock.toml has addresses too: \`${REMAKE_PYLOCK}\``,
  ],
};

function rootRoute(path: string): Route | undefined {
  if (path === 'simple/') return { type: 'root' };
  return path === 'simple' ? { type: 'root', redirect: 'simple/' } : undefined;
}

/** PEP 503: names that are not normalized, and addresses without a slash at the end, are redirected. */
function packageRoute(path: string): Route | undefined {
  const [, name, slash] = PROJECT.exec(path) ?? [];
  if (name === undefined) return undefined;
  const canonical = `simple/${normalizeName(name)}/`;
  return { type: 'package', package: packagePurl(name), ...(path === canonical && slash === '/' ? {} : { redirect: canonical }) };
}

function fileRoute(path: string): Route | undefined {
  const fileName = FILE.exec(path)?.[1];
  if (fileName === undefined) return undefined;
  const [, of] = /^(.+)\.metadata$/.exec(fileName) ?? [];
  if (of === undefined) return { type: 'artifact', packages: packagesOf(fileName), path };
  return { type: 'companion', packages: packagesOf(of), artifact: { path: path.slice(0, -'.metadata'.length) }, companion: 'metadata' };
}

function provenanceRoute(path: string): Route | undefined {
  const [, project, fileName] = PROVENANCE.exec(path) ?? [];
  if (project === undefined || fileName === undefined) return undefined;
  return { type: 'companion', packages: [packagePurl(project)], artifact: { fileName }, companion: 'provenance' };
}

/** Which projects a file can be of. A wheel's name says it; that of an old source archive may be read in several ways. */
function packagesOf(fileName: string): readonly Purl[] {
  const parts = fileName.split('-').slice(0, 16);
  const names = parts.map((_, index) => parts.slice(0, index + 1).join('-'));
  return [...new Set(names.filter((name) => parseFileName(name, fileName) !== undefined).map(packagePurl))];
}
