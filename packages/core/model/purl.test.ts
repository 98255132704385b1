import fc from 'fast-check';
import { PackageURL } from 'packageurl-js';
import { describe, expect, it } from 'vitest';
import { fileNameOf, formatPurl, packageOf, parsePurl, purlParts, releaseOf, splitPurlText, typeOf } from './index.ts';

const odd = [
  { type: 'pypi', name: 'click', version: '8.1.7', fileName: 'click-8.1.7-py3-none-any.whl' },
  { type: 'npm', namespace: '@scope', name: 'left@pad?', version: '1.0.0-rc@1?x#y', fileName: 'a b+c&d=e?f#g.tgz' },
  { type: 'golang', namespace: 'module.example/with/path', name: 'v2', version: 'v2.0.1+incompatible' },
  { type: 'maven', namespace: 'org.example', name: 'ünïcode', version: '1:2~3' },
  { type: 'deb', namespace: 'debian', name: 'libstdc++6', version: '12.2.0-14+deb12u1' },
  { type: 'generic', name: 'no-version' },
];

describe.each(odd)('the parts of $type/$name', (parts) => {
  const purl = formatPurl(parts);
  const { type, name, namespace, version } = parts;

  it('are the same by text as by parsing', () => {
    const known = purlParts(purl);

    expect(typeOf(purl)).toBe(known.type);
    expect(packageOf(purl)).toBe(formatPurl({ type, name, ...(namespace === undefined ? {} : { namespace }) }));
    expect(releaseOf(purl)).toBe(version === undefined ? undefined : formatPurl({ type, name, version, ...(namespace === undefined ? {} : { namespace }) }));
    expect(fileNameOf(purl)).toBe(known.fileName);
    expect(fileNameOf(purl)).toBe(parts.fileName);
  });

  it('stand in a form that is canonical', () => {
    for (const derived of [purl, packageOf(purl), releaseOf(purl) ?? purl]) expect(parsePurl(derived)).toBe(derived);
  });
});

it('are taken from the text as a parser takes them', () => {
  const part = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', 'B', '@', '?', '#', '+', '%', ' ', ':', '&', '=', '.', '/', 'ü', '😀') });
  const encoded = fc.option(part.map(encodeURIComponent), { nil: undefined });
  const type = fc.constantFrom('npm', 'golang', 'generic', 'pypi', 'cargo', 'deb');
  let compared = 0;
  fc.assert(
    fc.property(fc.record({ type, namespace: encoded, name: part.map(encodeURIComponent), version: encoded, fileName: encoded }), (given) => {
      const { namespace, name, version, fileName } = given;
      const text = `pkg:${given.type}/${namespace === undefined ? '' : `${namespace}/`}${name}${version === undefined ? '' : `@${version}`}`;
      const purl = parsePurl(fileName === undefined ? text : `${text}?file_name=${fileName}`);
      if (purl === undefined) return;
      const { qualifiers, ...parsed } = PackageURL.fromString(purl);
      compared += 1;
      for (const key of ['type', 'namespace', 'name', 'version'] as const) expect(purlParts(purl)[key]).toBe(parsed[key] ?? undefined);
      expect(purlParts(purl).fileName).toBe(qualifiers?.['file_name']);
    }),
    { numRuns: 5000 },
  );
  expect(compared).toBeGreaterThan(1000);
});

it.each([
  ['pkg:npm/@acme/box', { package: 'pkg:npm/@acme/box' }],
  ['pkg:npm/@acme/box@1.*', { package: 'pkg:npm/@acme/box', version: '1.*' }],
  ['pkg:npm/%40acme/box@^5', { package: 'pkg:npm/%40acme/box', version: '^5' }],
  ['pkg:npm/@acme/*', { package: 'pkg:npm/@acme/*' }],
  ['pkg:pypi/flask@', { package: 'pkg:pypi/flask', version: '' }],
  ['pkg:golang/mod.example/a/v2@v2.0.0', { package: 'pkg:golang/mod.example/a/v2', version: 'v2.0.0' }],
  ['*', { package: '*' }],
])('takes %s for its package and version', (text, expected) => {
  expect(splitPurlText(text)).toEqual(expected);
});
