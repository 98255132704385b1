import type { HttpBody, HttpRequest, Repositories, ShownRefs, UploadPackRequest } from '@granary/contract/ports';
import { RepositoryError } from '@granary/contract/ports';
import { encodeSnapshot, parseObjectId } from '@granary/core/git';
import { formatPurl } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { repositoryRoute } from './repositories.ts';
import { openTestSite } from './test/site.ts';

const LAMP = formatPurl({ type: 'git', namespace: 'forge.example/owner', name: 'lamp' });
const ADDRESS = '/git/forge.example/owner/lamp';
const ADVERTISED = `${ADDRESS}/info/refs?service=git-upload-pack`;

describe('an address below /git/', () => {
  it.each([
    ['forge.example/owner/lamp/info/refs', 'info-refs'],
    ['forge.example/owner/lamp.git/git-upload-pack', 'upload-pack'],
    ['forge.example/owner/lamp', 'other'],
    ['forge.example/owner/lamp/objects/info/packs', 'other'],
    ['forge.example/owner/lamp.git/info/lfs/objects/batch', { type: 'batch' }],
    [`forge.example/owner/lamp/info/lfs/objects/${'a'.repeat(64)}`, { type: 'file', oid: 'a'.repeat(64) }],
    [`forge.example/owner/lamp/info/lfs/objects/${'A'.repeat(64)}`, { type: 'none' }],
    ['forge.example/owner/lamp.git/info/lfs/locks/verify', { type: 'none' }],
  ])('names a repository and what is asked of it: %s', (path, operation) => {
    expect(repositoryRoute(path, new URLSearchParams())).toMatchObject({ operation });
  });

  it.each(['', 'forge.example', 'forge.example/', '-x/lamp', 'forge.example/-x', 'forge.example/a//b', 'forge.example/.git', 'forge.example/a%2fb', 'a b/c'])(
    'is none of a repository: %j',
    (path) => {
      expect(repositoryRoute(path, new URLSearchParams())).toBeUndefined();
    },
  );
});

describe('a client of git', () => {
  it('is shown the refs of the newest look, or of those that a moment had', async () => {
    const { site, shown, see } = openSite();
    site.at('2026-01-02T00:00:00Z');
    await see('a');
    site.at('2026-01-04T00:00:00Z');
    await see('b');

    await site.get(ADVERTISED);
    await site.get(`/as-of/2026-01-03T00:00:00Z${ADVERTISED}`);

    expect(shown.map(({ refs }) => refs.get('refs/heads/main'))).toEqual(['b'.repeat(40), 'a'.repeat(40)]);
    expect((await site.get(`/as-of/2026-01-01T00:00:00Z${ADVERTISED}`)).text).toMatch(/^404 .* it was first seen at 2026-01-02/);
  });

  it('is answered in the words of the protocol, and by nobody between', async () => {
    const { site, asked, see } = openSite();
    await see('a');

    const answer = await site.get(ADVERTISED, { 'git-protocol': 'version=2' });

    expect(answer).toMatchObject({ status: 200, text: 'the answer' });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/x-git-upload-pack-advertisement', 'cache-control': 'no-cache, no-store' });
    expect(asked).toMatchObject([{ operation: 'advertise', protocol: 'version=2' }]);
  });

  it.each([
    [404, 'what is not held', '/git/forge.example/owner/candle/info/refs?service=git-upload-pack'],
    [403, 'a push', `${ADDRESS}/info/refs?service=git-receive-pack`],
    [404, 'another service', `${ADDRESS}/info/refs?service=git-upload-archive`],
    [404, 'the dumb protocol', `${ADDRESS}/info/refs`],
    [404, 'a page', ADDRESS],
    [405, 'a pack without a question', `${ADDRESS}/git-upload-pack`],
  ])('reads %i and why for %s', async (status, _, target) => {
    const { site, asked, see } = openSite();
    await see('a');

    expect(await site.get(target)).toMatchObject({ status, text: expect.stringMatching(new RegExp(`^${status} Granary .+\\n$`)) });
    expect(asked).toEqual([]);
  });

  it('is refused what is quarantined, until it is released', async () => {
    const { site, see } = openSite();
    await see('a');

    site.state('quarantined', LAMP, { reason: 'planted' });
    const refused = await site.get(ADVERTISED);
    site.state('released', LAMP, { reason: 'was none' });

    expect(refused.text).toMatch(/^403 Granary quarantined pkg:git\/forge\.example\/owner\/lamp: planted, see /);
    expect((await site.get(ADVERTISED)).status).toBe(200);
  });

  it.each([
    [400, 'it asks what git does not read', new RepositoryError('malformed', 'fatal: protocol error')],
    [503, 'the disk is full', new RepositoryError('unavailable', 'the disk is full')],
    [503, 'git took too long', new RepositoryError('timeout', 'too long')],
  ])('reads %i where %s', async (status, _, fault) => {
    const { see, post } = openSite(fault);
    await see('a');

    expect((await post({ type: 'whole', bytes: Buffer.from('0000') })).status).toBe(status);
  });

  it.each([413, 415, 503] as const)('reads %i where its body is refused as such, and git is not asked', async (status) => {
    const { asked, see, post } = openSite();
    await see('a');

    expect((await post({ type: 'refused', status, why: 'it is too much' })).reason).toBe('Granary does not read this: it is too much');
    expect(asked).toEqual([]);
  });
});

/** A site with repositories whose git notes what it is asked. */
function openSite(fault?: RepositoryError) {
  const asked: UploadPackRequest[] = [];
  const shown: ShownRefs[] = [];
  const unused = (): never => {
    throw new Error('serving asks nothing else');
  };
  const repositories: Repositories = {
    open: async () => ({
      ...{ take: unused, having: unused, areAncestors: unused, history: unused, peel: unused },
      ...{
        tree: unused,
        objectsAt: unused,
        blobs: unused,
        smallFiles: unused,
        configuration: unused,
        commitsTouching: unused,
        commitsNamed: unused,
        commitObject: unused,
        archive: unused,
      },
      async uploadPack(refs, request) {
        if (fault !== undefined) throw fault;
        shown.push(refs);
        asked.push(request);
        return answer();
      },
    }),
  };
  const site = openTestSite({ repositories });
  return {
    ...{ site, asked, shown },
    /** What upstream's only branch names from now on. */
    async see(digit: string) {
      const id = parseObjectId(digit.repeat(40), 'sha1') ?? unused();
      const bytes = encodeSnapshot({ objectFormat: 'sha1', refs: new Map([['refs/heads/main', id]]), peeled: new Map() });
      const { sha256: document, sizeBytes } = await site.store.blobs.put(bytes, { maxBytes: bytes.length });
      site.state('observed', LAMP, { document, sizeBytes, mediaType: 'application/json', url: 'https://forge.example/owner/lamp' });
    },
    async post(body: HttpBody) {
      const request: HttpRequest = { method: 'POST', target: `${ADDRESS}/git-upload-pack`, headers: {}, body: async () => body };
      return await site.serve.handle(request);
    },
  };
}

async function* answer(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('the answer');
}
