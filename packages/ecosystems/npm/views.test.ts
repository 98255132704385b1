import type { PackageView, ViewFile } from '@granary/contract/ecosystem';
import { sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl, packagePurl } from './names.ts';
import { npmViews } from './views.ts';

const INSTALL = 'application/vnd.npm.install-v1+json';
const FULL = 'application/json';
const NAME = '@deep/sea';
const time = (version: string) => `202${version[0]}-06-01T00:00:00.000Z`;
const manifest = (version: string, more: object = {}) => ({
  name: NAME,
  version,
  readme: 'long',
  scripts: { postinstall: 'node x' },
  dependencies: { salt: '^1' },
  dist: {
    tarball: `https://registry.example/@deep/sea/-/sea-${version}.tgz`,
    integrity: `sha512-${version}`,
    signatures: [{ keyid: 'k', sig: 's' }],
    attestations: { url: `https://registry.example/-/npm/v1/attestations/@deep%2fsea@${version}` },
  },
  ...more,
});
const packument = (latest: string, versions: readonly string[]) => ({
  _id: NAME,
  name: NAME,
  description: 'salty',
  'dist-tags': { latest, next: '4.0.0-beta.1' },
  time: {
    created: '2019-01-01T00:00:00.000Z',
    modified: '2025-01-01T00:00:00.000Z',
    ...Object.fromEntries(versions.map((version) => [version, time(version)])),
  },
  versions: Object.fromEntries(versions.map((version) => [version, manifest(version)])),
});
const ALL = ['1.0.0', '1.1.0', '2.0.0', '3.0.0', '4.0.0-beta.1'];
const upstream = packument('3.0.0', ALL);
const bytes = new TextEncoder().encode(JSON.stringify(upstream));
const document = sha256(bytes);

const file = (version: string, more: Partial<ViewFile> = {}): ViewFile => ({
  purl: artifactPurl(NAME, version, `sea-${version}.tgz`),
  fileName: `sea-${version}.tgz`,
  sha256: sha256(version),
  sizeBytes: 5,
  document,
  path: `@deep/sea/-/sea-${version}.tgz`,
  companions: [],
  ...more,
});
const view = (files: readonly ViewFile[], more: Partial<PackageView> = {}): PackageView => ({
  package: packagePurl(NAME),
  address: 'http://mirror.example/all/npm',
  documents: new Map([[document, { bytes, url: 'https://registry.example/@deep%2fsea', contentType: FULL }]]),
  document,
  files,
  reconstructed: false,
  ...more,
});
const rendered = (of: PackageView, mediaType: string, name?: string) => JSON.parse(new TextDecoder().decode(npmViews.renderPackage(of, mediaType, name)));

describe('a path', () => {
  it.each([
    ['', { type: 'root' }],
    ['express', { type: 'package', package: 'pkg:npm/express' }],
    ['@deep/sea', { type: 'package', package: 'pkg:npm/%40deep/sea' }],
    ['express/4.18.2', { type: 'package', package: 'pkg:npm/express', document: 'version/4.18.2' }],
    ['@deep/sea/latest', { type: 'package', package: 'pkg:npm/%40deep/sea', document: 'version/latest' }],
    ['-/package/@deep/sea/dist-tags', { type: 'package', package: 'pkg:npm/%40deep/sea', document: 'dist-tags' }],
    ['express/-/express-4.18.2.tgz', { type: 'artifact', packages: ['pkg:npm/express'], path: 'express/-/express-4.18.2.tgz' }],
    ['@deep/sea/-/sea-1.0.0.tgz', { type: 'artifact', packages: ['pkg:npm/%40deep/sea'], path: '@deep/sea/-/sea-1.0.0.tgz' }],
    ['-/-/--0.0.1.tgz', { type: 'artifact', packages: ['pkg:npm/-'], path: '-/-/--0.0.1.tgz' }],
    ['-/ping', { type: 'fixed', name: 'ping' }],
    ['-/npm/v1/keys', { type: 'evidence', name: 'keys', mediaType: 'application/json' }],
    [
      '-/npm/v1/attestations/@deep/sea@1.0.0',
      { type: 'companion', packages: ['pkg:npm/%40deep/sea'], artifact: { fileName: 'sea-1.0.0.tgz' }, companion: 'attestations' },
    ],
  ])('%j is understood', (path, route) => {
    expect(npmViews.route(path)).toEqual(route);
  });

  it.each([
    'favicon.ico',
    '../x',
    '@deep',
    'a/b/c',
    'a/-/b',
    'a/-/../b.tgz',
    '@a/../b/-/b.tgz',
    '-/v1/search',
    '-/whoami',
    '-/npm/v1/attestations/x',
    '-/package/../dist-tags',
  ])('%j is asked by no client', (path) => {
    expect(npmViews.route(path)).toBeUndefined();
  });
});

describe('the full document', () => {
  it('is as upstream has it, less what is not shown, with tarballs at our address', () => {
    const page = rendered(view([file('1.0.0'), file('3.0.0')]), FULL);

    expect(page).toEqual({
      ...upstream,
      'dist-tags': { latest: '3.0.0' },
      time: { created: upstream.time.created, modified: upstream.time.modified, '1.0.0': time('1.0.0'), '3.0.0': time('3.0.0') },
      versions: Object.fromEntries(
        ['1.0.0', '3.0.0'].map((version) => [
          version,
          { ...manifest(version), dist: { ...manifest(version).dist, tarball: `http://mirror.example/all/npm/@deep/sea/-/sea-${version}.tgz` } },
        ]),
      ),
    });
  });

  it('has what upstream removed as deprecated, so that resolution passes over it and pins go on', () => {
    const page = rendered(view([file('1.0.0'), file('3.0.0', { vanishedAt: toInstant(Date.UTC(2026, 0, 2, 3)) })]), FULL);

    expect(page.versions['3.0.0'].deprecated).toBe('removed upstream, noticed 2026-01-02');
    expect(page.versions['1.0.0'].deprecated).toBeUndefined();
  });
});

describe('the abbreviated document', () => {
  it('has what installs need, and the time of every version', () => {
    const page = rendered(view([file('1.0.0')]), INSTALL);

    expect(page).toEqual({
      name: NAME,
      modified: upstream.time.modified,
      'dist-tags': { latest: '1.0.0' },
      time: { created: upstream.time.created, modified: upstream.time.modified, '1.0.0': time('1.0.0') },
      versions: {
        '1.0.0': {
          name: NAME,
          version: '1.0.0',
          dependencies: { salt: '^1' },
          dist: { ...manifest('1.0.0').dist, tarball: 'http://mirror.example/all/npm/@deep/sea/-/sea-1.0.0.tgz' },
          hasInstallScript: true,
        },
      },
    });
  });
});

describe('tags', () => {
  it.each([
    ['what upstream says, where it is shown', ['2.0.0', '3.0.0', '4.0.0-beta.1'], { latest: '3.0.0', next: '4.0.0-beta.1' }],
    ['the highest that is shown, where it is not', ['1.0.0', '2.0.0'], { latest: '2.0.0' }],
    ['stable before prerelease', ['1.0.0', '4.0.0-beta.1'], { latest: '1.0.0', next: '4.0.0-beta.1' }],
    ['a prerelease, when there is nothing else', ['4.0.0-beta.1'], { latest: '4.0.0-beta.1', next: '4.0.0-beta.1' }],
    ['none, when nothing is shown', [], {}],
  ])('latest is %s', (_, versions, tags) => {
    expect(rendered(view(versions.map((version) => file(version))), FULL, 'dist-tags')).toEqual(tags);
  });

  it('latest is never above what upstream calls so', () => {
    const older = new TextEncoder().encode(JSON.stringify({ ...packument('1.1.0', ALL) }));
    const documents = new Map([[document, { bytes: older, url: 'https://registry.example/@deep%2fsea', contentType: FULL }]]);

    expect(rendered(view([file('1.0.0'), file('2.0.0')], { documents }), FULL, 'dist-tags')).toEqual({ latest: '1.0.0' });
  });

  it('latest is not what upstream removed', () => {
    const vanishedAt = toInstant(Date.UTC(2026, 0, 2));

    expect(rendered(view([file('1.0.0'), file('1.1.0', { vanishedAt })]), FULL, 'dist-tags')).toEqual({ latest: '1.0.0' });
  });
});

describe('one version', () => {
  it.each(['1.0.0', 'latest'])('is found as %s', (name) => {
    expect(rendered(view([file('1.0.0')]), FULL, `version/${name}`)).toMatchObject({ version: '1.0.0', dist: { signatures: [{ keyid: 'k', sig: 's' }] } });
  });

  it.each(['3.0.0', 'next', 'constructor', '__proto__'])('is not there as %s', (name) => {
    expect(npmViews.renderPackage(view([file('1.0.0')]), FULL, `version/${name}`)).toBeUndefined();
  });
});

it('says nothing of what came after the moment asked for', () => {
  const page = rendered(view([file('1.0.0'), file('2.0.0')], { asOf: toInstant(Date.UTC(2023, 0, 1)), reconstructed: true }), FULL);

  expect(page['dist-tags']).toEqual({ latest: '2.0.0' });
  expect(page.time.modified).toBe(time('2.0.0'));
});

it('refuses to list a version that its document does not have', () => {
  expect(() => rendered(view([file('9.0.0')]), FULL)).toThrow(/does not list 9\.0\.0/);
});

it('lists packages by name', () => {
  const root = npmViews.renderRoot([packagePurl('JSONStream'), packagePurl(NAME), packagePurl('-/npm/v1/keys')], FULL);

  expect(JSON.parse(new TextDecoder().decode(root))).toEqual({ packages: ['JSONStream', NAME] });
});
