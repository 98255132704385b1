import type { DocumentSource } from '@granary/contract/ecosystem';
import { type Artifact, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPath, artifactPurl, type FileKind, fileNameOf } from '../names.ts';
import { moduleDocuments } from './documents.ts';

const COMMIT = '1'.repeat(40);
const FORGE = { VCS: 'git', URL: 'https://forge.example/owner/lamp', Ref: 'refs/tags/v1.2.3' };

function artifact(path: string, kind: FileKind): Artifact {
  return { purl: artifactPurl(path, 'v1.2.3', kind), fileName: fileNameOf('v1.2.3', kind), path: artifactPath(path, 'v1.2.3', kind), digests: {} };
}
const from = (more: Partial<DocumentSource>): DocumentSource => ({
  published: Buffer.from(''),
  file: 'absent',
  directory: '',
  commit: COMMIT,
  committedAt: toInstant(Date.parse('2023-05-01T10:00:00Z')),
  ...more,
});
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

describe('the go.mod of a version', () => {
  const made = (path: string, more: Partial<DocumentSource>) => text(moduleDocuments.mod.make(artifact(path, 'mod'), from(more)));

  it('is that of the module in the commit, whatever it says', () => {
    expect(made('mod.example/lamp/v2', { file: Buffer.from('module other\r\n'), directory: 'v2' })).toBe('module other\r\n');
  });

  it('is made up of the path where the whole repository is a module that has none', () => {
    expect(made('mod.example/Lamp', {})).toBe('module mod.example/Lamp\n');
    expect(made('mod.example/lamp.v3', {})).toBe('module mod.example/lamp.v3\n');
  });

  it('is none in a folder, of a later major version, or where nobody can read it', () => {
    expect(made('mod.example/lamp/sub', { directory: 'sub' })).toBeUndefined();
    expect(made('mod.example/lamp/v2', {})).toBeUndefined();
    expect(made('mod.example/lamp', { file: 'unreadable' })).toBeUndefined();
  });
});

describe('what a proxy says of a version', () => {
  const made = (published: string) => text(moduleDocuments.info.make(artifact('mod.example/lamp', 'info'), from({ published: Buffer.from(published) })));
  const compared = (published: string) => moduleDocuments.info.normalizers.map(({ apply }) => text(apply(Buffer.from(published))));
  const isSame = (published: string) => {
    const [theirs] = compared(published);
    return theirs !== undefined && theirs === compared(made(published) ?? '')[0];
  };
  const info = (more: object) => JSON.stringify({ Version: 'v1.2.3', Time: '2023-05-01T10:00:00Z', ...more });

  it('is its version and the time of its commit, as the tool writes them', () => {
    expect(made(info({}))).toBe('{"Version":"v1.2.3","Time":"2023-05-01T10:00:00Z"}');
  });

  it('is the same in another order, with another offset, and with an origin that names the commit, or none', () => {
    expect(isSame('{ "Time": "2023-05-01T12:00:00+02:00", "Version": "v1.2.3" }\n')).toBe(true);
    expect(isSame(info({ Origin: { ...FORGE, Hash: COMMIT } }))).toBe(true);
    expect(isSame(info({ Origin: FORGE }))).toBe(true);
    expect(isSame(info({ Origin: null }))).toBe(true);
  });

  it.each([
    ['another commit', info({ Origin: { ...FORGE, Hash: '2'.repeat(40) } })],
    ['another commit in a name that only the tool takes for that', info({ Origin: { ...FORGE, hash: '2'.repeat(40) } })],
    ['two commits in names that the tool takes for one', info({ Origin: { ...FORGE, Hash: COMMIT, HASH: '2'.repeat(40) } })],
    ['a name that folds to that', info({ Origin: { ...FORGE, haſh: '2'.repeat(40) } })],
    ['a name that is written otherwise', info({ Origin: { ...FORGE, hash: '2'.repeat(40) } }).replace('"hash"', '"h\\u0061sh"')],
    ['two origins, which the tool reads together', info({ Origin: { Hash: '2'.repeat(40) } }).replace('}}', '},"Origin":{"VCS":"git"}}')],
    ['another time', info({ Time: '2023-05-01T10:00:01Z' })],
    ['a fraction of a second', info({ Time: '2023-05-01T10:00:00.5Z' })],
    ['another version', info({ Version: 'v1.2.4' })],
    ['more than anybody knows of', info({ version: 'v1.2.4' })],
    ['names that objects have by themselves', '{"Version":"v1.2.3","Time":"2023-05-01T10:00:00Z","__proto__":{"Version":"v1.2.4"}}'],
    ['numbers that are not exact', info({ More: 0.5 })],
    ['no time', '{"Version":"v1.2.3"}'],
    ['no object', '[]'],
    ['nothing that can be read', `{"Version":"v1.2.3","Time":"2023-05-01T10:00:00Z"`],
    ['more in each other than anybody writes', `{"Version":"v1.2.3","Time":"2023-05-01T10:00:00Z","More":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])('differs where it has %s', (_, published) => {
    expect(isSame(published)).toBe(false);
  });

  it.each([
    ['the time that a proxy took it at', info({ Time: '2024-01-01T00:00:00Z' }), 'build-metadata'],
    ['names that proxies give a commit', info({ Name: 'v1.2.3', Short: 'v1.2.3' }), 'build-metadata'],
    ['another version', info({ Version: 'v1.2.4', Time: '2024-01-01T00:00:00Z' }), undefined],
    ['another commit', info({ Origin: { Hash: '2'.repeat(40) } }), undefined],
    ['more than anybody knows of', info({ More: 1 }), undefined],
    ['nothing that can be read', 'x', undefined],
  ])('says why it has %s', (_, published, cause) => {
    const [upstream, rebuild] = [Buffer.from(published), Buffer.from(made(published) ?? '')];

    expect(moduleDocuments.info.causeOf?.({ path: 'v1.2.3.info', upstream, rebuild })).toBe(cause);
  });
});
