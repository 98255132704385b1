import { EcosystemError, type PackageDocument, type Views } from '@granary/contract/ecosystem';
import { formatPurl, type Instant, parseInstant, toSha256 } from '@granary/core/model';
import { z } from 'zod';
import type { ServedEcosystem } from '../index.ts';

/** The smallest ecosystem that has everything a view needs: one line per file. */
const Listed = z.array(z.object({ fileName: z.string(), sha256: z.string(), publishedAt: z.string().optional(), yanked: z.boolean().optional() }));
const views: Views = {
  route(path) {
    if (path === 'index/') return { type: 'root' };
    if (path === 'address') return { type: 'fixed', name: 'address' };
    if (path.startsWith('ask/')) return { type: 'question', name: path.slice(4), maxBodyBytes: 10 };
    const name = /^index\/([A-Za-z]+)\/?$/.exec(path)?.[1];
    if (name !== undefined) {
      const canonical = `index/${name.toLowerCase()}/`;
      return { type: 'package', package: formatPurl({ type: 'tiny', name: name.toLowerCase() }), ...(path === canonical ? {} : { redirect: canonical }) };
    }
    const [, file, fileName = '', metadata] = /^(files\/[0-9a-f]{64}\/(.+?))(\.metadata)?$/.exec(path) ?? [];
    if (file === undefined) return undefined;
    const packages = [formatPurl({ type: 'tiny', name: fileName.split('-')[0] ?? '' })];
    return metadata === undefined ? { type: 'artifact', packages, path } : { type: 'companion', packages, artifact: { path: file }, companion: 'metadata' };
  },
  mediaTypes: ({ type }) =>
    type === 'artifact' ? ['application/octet-stream'] : type === 'companion' ? ['text/plain'] : ['application/tiny+json', 'text/html'],
  renderPackage: ({ files, reconstructed }) =>
    new TextEncoder().encode(
      files.map(({ fileName, vanishedAt }) => `${fileName}${vanishedAt === undefined ? '' : '!'}${reconstructed ? '?' : ''}\n`).join(''),
    ),
  renderFixed: (_, { address }) => new TextEncoder().encode(address),
  challenge: (publicUrl) => `Tiny page="${publicUrl}"`,
  clientHints: (address) => [`tiny --index ${address}/tiny/index/`],
  async answerQuestion(name, body, { advisories }) {
    const known = await advisories.of('tiny', []);
    if (name === 'advisories' && known.type === 'unknown') return { type: 'refused', status: known.status, why: known.why };
    return { type: 'answered', mediaType: 'text/plain', bytes: body.toReversed() };
  },
  renderRoot: (packages) => new TextEncoder().encode(packages.join('\n')),
};
export const tiny: ServedEcosystem = {
  id: 'tiny',
  views,
  index: {
    accept: 'application/json',
    maxDocumentBytes: 100_000,
    documentUrl: (base, purl) => `${base}/${purl}`,
    parse(bytes, source): PackageDocument {
      const files = Listed.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
      if (!files.success) throw new EcosystemError('malformed', 'not a tiny index');
      const artifacts = files.data.map(({ fileName, sha256: digest, publishedAt, yanked = false }) => ({
        ...{ purl: fileOf(fileName), fileName, path: `files/${digest}/${fileName}`, url: `${source.url}/${fileName}` },
        ...{ digests: { sha256: toSha256(digest) }, yanked, evidence: [], companions: [] },
        ...(publishedAt === undefined ? {} : { publishedAt: instant(publishedAt) }),
      }));
      return { package: source.package, artifacts, refused: [] };
    },
  },
};

/** A file of the one package of these tests. */
export const fileOf = (fileName: string, version = fileName.split('-')[1]) =>
  formatPurl({ type: 'tiny', name: 'box', fileName, ...(version === undefined ? {} : { version }) });

export function instant(text: string): Instant {
  const parsed = parseInstant(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}
