import type { PackageView, ViewFile } from '@granary/contract/ecosystem';
import { sha256, toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { artifactPurl, packagePurl } from './names.ts';
import { parseSimplePage } from './schema.ts';
import { pypiViews } from './views.ts';

const path = (fileName: string) => `packages/aa/bb/${'c'.repeat(60)}/${fileName}`;
const wheel = 'click-8.1.7-py3-none-any.whl';
const sdist = 'click-8.1.7.tar.gz';
const upstream = {
  meta: { 'api-version': '1.4' },
  name: 'click',
  'project-status': { status: 'archived', reason: 'moved <away>' },
  files: [
    {
      filename: wheel,
      url: `https://files.registry.example/${path(wheel)}`,
      hashes: { sha256: sha256('wheel') },
      'requires-python': '>=3.7',
      'upload-time': '2023-08-17T17:29:10.351234Z',
      yanked: false,
    },
    {
      filename: sdist,
      url: `https://files.registry.example/${path(sdist)}`,
      hashes: { sha256: sha256('sdist') },
      'requires-python': '',
      yanked: 'bro"ken <b>',
    },
  ],
};
const document = new TextEncoder().encode(JSON.stringify(upstream));
const file = (fileName: string, more: Partial<ViewFile> = {}): ViewFile => ({
  purl: artifactPurl('click', '8.1.7', fileName),
  fileName,
  sha256: sha256(fileName === wheel ? 'wheel' : 'sdist'),
  sizeBytes: 5,
  document: sha256(document),
  path: path(fileName),
  companions: [],
  ...more,
});
const view = (files: readonly ViewFile[], more: Partial<PackageView> = {}): PackageView => ({
  package: packagePurl('click'),
  address: 'http://mirror.example/pypi',
  documents: new Map([
    [sha256(document), { bytes: document, url: 'https://registry.example/simple/click/', contentType: 'application/vnd.pypi.simple.v1+json' }],
  ]),
  document: sha256(document),
  files,
  reconstructed: false,
  ...more,
});
const json = (of: PackageView) => JSON.parse(new TextDecoder().decode(pypiViews.renderPackage(of, 'application/vnd.pypi.simple.v1+json')));
const html = (of: PackageView) => new TextDecoder().decode(pypiViews.renderPackage(of, 'text/html'));

describe('a path', () => {
  it.each([
    ['simple/', { type: 'root' }],
    ['simple', { type: 'root', redirect: 'simple/' }],
    ['simple/click/', { type: 'package', package: 'pkg:pypi/click' }],
    ['simple/click', { type: 'package', package: 'pkg:pypi/click', redirect: 'simple/click/' }],
    ['simple/Zope.Interface/', { type: 'package', package: 'pkg:pypi/zope-interface', redirect: 'simple/zope-interface/' }],
    [path(wheel), { type: 'artifact', packages: ['pkg:pypi/click'], path: path(wheel) }],
    [`${path(wheel)}.metadata`, { type: 'companion', packages: ['pkg:pypi/click'], artifact: { path: path(wheel) }, companion: 'metadata' }],
    [path('a-b-1-2.tar.gz'), { type: 'artifact', packages: ['pkg:pypi/a-b', 'pkg:pypi/a-b-1'], path: path('a-b-1-2.tar.gz') }],
    [`integrity/click/8.1.7/${wheel}/provenance`, { type: 'companion', packages: ['pkg:pypi/click'], artifact: { fileName: wheel }, companion: 'provenance' }],
  ])('%s is understood', (asked, route) => {
    expect(pypiViews.route(asked)).toEqual(route);
  });

  it.each(['', 'simple/../x/', 'simple/-x/', 'simple/a/b/', 'packages/x', 'packages/aa/bb/cc/x.whl', 'favicon.ico'])('%j is asked by no client', (asked) => {
    expect(pypiViews.route(asked)).toBeUndefined();
  });
});

describe('a page in JSON', () => {
  it('says what clients need, with addresses that stay on the same origin', () => {
    const page = json(view([file(wheel, { metadata: sha256('metadata'), companions: ['provenance'] })]));

    expect(page).toEqual({
      meta: { 'api-version': '1.4' },
      name: 'click',
      'project-status': { status: 'archived', reason: 'moved <away>' },
      versions: ['8.1.7'],
      files: [
        {
          filename: wheel,
          url: `../../${path(wheel)}`,
          hashes: { sha256: sha256('wheel') },
          'requires-python': '>=3.7',
          size: 5,
          'upload-time': '2023-08-17T17:29:10.351Z',
          yanked: false,
          'core-metadata': { sha256: sha256('metadata') },
          provenance: `../../integrity/click/8.1.7/${wheel}/provenance`,
        },
      ],
    });
  });

  it('lists what upstream removed as yanked, so that resolution avoids it and pins go on', () => {
    const page = json(view([file(wheel, { vanishedAt: toInstant(Date.UTC(2026, 0, 2, 3)) })]));

    expect(page.files[0].yanked).toBe('removed upstream, noticed 2026-01-02');
  });

  it('writes an empty requires-python as null', () => {
    expect(json(view([file(sdist)])).files[0]).toMatchObject({ 'requires-python': null, yanked: 'bro"ken <b>', 'core-metadata': false, provenance: null });
  });

  it('says when its state is reconstructed', () => {
    expect(json(view([], { reconstructed: true })).meta).toEqual({ 'api-version': '1.4', _granary: { state: 'reconstructed' } });
  });
});

describe('a page in HTML', () => {
  it('says the same as the one in JSON', () => {
    const of = view([file(wheel, { metadata: sha256('metadata') }), file(sdist)]);

    const page = parseSimplePage(new TextEncoder().encode(html(of)), 'https://mirror.example/pypi/simple/click/', 'text/html');

    expect(page.files).toMatchObject([
      {
        fileName: wheel,
        url: `https://mirror.example/pypi/${path(wheel)}`,
        digests: { sha256: sha256('wheel') },
        requiresPython: '>=3.7',
        coreMetadata: { sha256: sha256('metadata') },
      },
      { fileName: sdist, yanked: true, yankedReason: 'bro"ken <b>' },
    ]);
  });

  it('escapes everything that upstream wrote', () => {
    expect(html(view([file(sdist)]))).not.toMatch(/<b>|<away>/);
  });
});

it('refuses to list a file that its document does not name', () => {
  expect(() => json(view([file('other-1.0.tar.gz')]))).toThrow(/does not list other-1\.0\.tar\.gz/);
});

it('lists projects by name', () => {
  const bytes = pypiViews.renderRoot([packagePurl('click'), packagePurl('six')], 'application/vnd.pypi.simple.v1+json');

  expect(JSON.parse(new TextDecoder().decode(bytes)).projects).toEqual([{ name: 'click' }, { name: 'six' }]);
});

it('says of a file that is not held yet what upstream says of it, and no more', () => {
  const { sha256: _, sizeBytes: __, ...unknown } = file(sdist);
  const [offered, held] = json(view([unknown, file(wheel)])).files;

  expect([offered.filename, offered.hashes, 'size' in offered, offered['core-metadata']]).toEqual([sdist, {}, false, false]);
  expect([held.hashes, held.size]).toEqual([{ sha256: sha256('wheel') }, 5]);
  expect(html(view([unknown]))).toContain(`href="../../${path(sdist)}"`);
});
