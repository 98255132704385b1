import type { CommitDocument, CommitRules, CommitSource } from '@granary/contract/ecosystem';
import { type Artifact, formatPurl, sha256, toInstant } from '@granary/core/model';
import { expect, it } from 'vitest';
import { makeDocument } from './make-document.ts';

const COMMIT = '1'.repeat(40);
const MAX_FILE_BYTES = 16 * 2 ** 20;
const target: Artifact = { purl: formatPurl({ type: 'tiny', name: 'box', version: '1.0', fileName: '1.0.mod' }), fileName: '1.0.mod', digests: {}, path: '' };
const source: CommitSource = {
  kind: 'commit',
  tier: 'commit-tagged',
  repository: formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'box' }),
  commit: COMMIT,
  directory: 'sub',
  fileName: 'box.tar',
  sha256: sha256('tree'),
};
const rules: CommitRules = {
  aliases: () => [],
  versions: () => [],
  manifests: [],
  readManifest: () => undefined,
  isOf: () => false,
  placesOf: (_, entry, directory) => [`elsewhere/${entry}`, `${directory}/${entry}`],
};
/** Says what it was given. */
const document: CommitDocument = {
  make: (_, { file, directory, commit, committedAt }) => Buffer.from([typeof file === 'string' ? file : file.length, directory, commit, committedAt].join(' ')),
  normalizers: [],
};

it('is made of the file at the first place that has one, and of what the commit says of itself', async () => {
  expect(await made({ 'sub/1.0.mod': 3 })).toBe(`3 sub ${COMMIT} 1970-01-01T00:00:01.000Z`);
  expect(await made({ 'sub/1.0.mod': 3, 'elsewhere/1.0.mod': 4 })).toMatch(/^4 /);
});

it('is told apart from what is made of no file, where that is too large', async () => {
  expect(await made({})).toMatch(/^absent /);
  expect(await made({ 'sub/1.0.mod': MAX_FILE_BYTES })).toMatch(/^16777216 /);
  expect(await made({ 'sub/1.0.mod': MAX_FILE_BYTES + 1 })).toMatch(/^unreadable /);
});

it('is made of no commit that is not there', async () => {
  expect(await made({ 'sub/1.0.mod': 3 }, [])).toBeUndefined();
});

/** Of a repository that has files of these sizes, by their paths, which are their ids too. */
async function made(files: Readonly<Record<string, number>>, commits = [{ objectId: COMMIT, committedAt: toInstant(1000) }]): Promise<string | undefined> {
  const bytes = await makeDocument(
    {
      commitsNamed: async () => commits,
      objectsAt: async (questions) => questions.map(({ path }) => (path in files ? path : undefined)),
      blobs: async (ids, { maxBytes }) => new Map(ids.filter((id) => (files[id] ?? 0) <= maxBytes).map((id) => [id, Buffer.alloc(files[id] ?? 0)])),
    },
    { target, published: Buffer.from('published'), source, rules, document },
  );
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
