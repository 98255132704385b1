import { expect, it } from 'vitest';
import { MAX_DEFINITION_FILE_BYTES, parseDefinitionFile } from './definition-file.ts';

const read = (text: string) => parseDefinitionFile(new TextEncoder().encode(text), 'lamp.yaml').parsed;

it('reads what an operator wrote of a package', () => {
  const text = `
releases:
  - versions: ^1.2
    source:
      repository: https://forge.example/house/lamp.git
      tag: lamp-{version}
      directory: packages/lamp
    build:
      environment: {LAMP_COLOUR: "green", SOURCE_DATE_EPOCH: "0"}
      requirements: [cython<3]
  - source: {directory: .}
`;

  expect(read(text)).toEqual({
    releases: [
      {
        versions: '^1.2',
        source: { repository: 'pkg:git/forge.example/house/lamp', tag: 'lamp-{version}', directory: 'packages/lamp' },
        build: { environment: { LAMP_COLOUR: 'green', SOURCE_DATE_EPOCH: '0' }, requirements: ['cython<3'] },
      },
      { source: { directory: '' }, build: { environment: {}, requirements: [] } },
    ],
  });
});

it('takes as many releases as there may be, whatever stands before a comment', () => {
  const release = '  - {versions: "1.0.1", source: {tag: v1}, build: {requirements: [x]}}';

  expect(read(`releases:\n${`${release}${' '.repeat(80)}# why\n`.repeat(200)}`).releases).toHaveLength(200);
});

it.each([
  ['another key', 'releases:\n  - sources: {}\n', /lamp\.yaml:2:\d+: releases\.0: unknown: sources; expected one of versions, source, build/],
  ['another key at the top', 'release: []\n', /lamp\.yaml:1:\d+: the file: unknown: release; expected one of releases/],
  ['nothing', '', /lamp\.yaml.*expected a list/],
  ['a path out of the repository', 'releases: [{source: {directory: ../other}}]', /source\.directory: expected a folder below the root/],
  ['an absolute path', 'releases: [{source: {directory: /etc}}]', /source\.directory: expected a folder/],
  ['a path with a back slash', "releases: [{source: {directory: 'a\\b'}}]", /source\.directory: expected a folder/],
  ['an address that no TLS guards', 'releases: [{source: {repository: "http://forge.example/a/b"}}]', /source\.repository: expected the https address/],
  ['an option for a repository', 'releases: [{source: {repository: "--upload-pack=x"}}]', /source\.repository: expected the https address/],
  ['a file for a repository', 'releases: [{source: {repository: "file:///srv/x"}}]', /source\.repository: expected the https address/],
  ['the beginning of a commit', 'releases: [{versions: "1.0.0", source: {commit: abcdef0}}]', /source\.commit: expected the whole id/],
  ['a commit of every release', `releases: [{source: {commit: ${'a'.repeat(40)}}}]`, /source\.commit: a commit is that of one release/],
  ['a commit and a tag', `releases: [{versions: "1", source: {commit: ${'a'.repeat(40)}, tag: v1}}]`, /expected commit or tag, not both/],
  ['a tag that is a path', 'releases: [{source: {tag: ../heads/main}}]', /source\.tag: expected the name of a tag/],
  ['a tag with another hole', 'releases: [{source: {tag: "v{major}"}}]', /source\.tag: expected the name of a tag/],
  ['a tag of the registry for a range', 'releases: [{versions: latest}]', /versions: expected versions or a range/],
  ['a number for text', 'releases: [{build: {environment: {A: 1}}}]', /environment\.A: expected text: put numbers/],
  ['what is no name of a variable', 'releases: [{build: {environment: {"A=B": x}}}]', /environment.*expected the name of a variable|environment/],
  ['a key of every object', 'releases: [{build: {environment: {__proto__: x}}}]', /lamp\.yaml:1:\d+: __proto__ is no key/],
  ['a key of every object in disguise', 'releases: [{build: {environment: {"\\x5f_proto__": x}}}]', /lamp\.yaml:1:\d+: __proto__ is no key/],
  ['a tag without a name', 'releases: [{source: {tag: ""}}]', /source\.tag: expected the name of a tag/],
  ['too many variables', `releases: [{build: {environment: {${Array.from({ length: 51 }, (_, at) => `A${at}: x`).join(', ')}}}}]`, /at most 50 variables/],
  ['a key twice', 'releases: []\nreleases: []\n', /lamp\.yaml:2:1: not YAML: Map keys must be unique/],
  ['two documents', 'releases: []\n---\nreleases: []\n', /not YAML/],
  ['aliases in one another', 'a: &a [x]\nb: &b [*a, *a]\n', /lamp\.yaml:1: anchors and aliases are not taken/],
  ['an alias', 'releases: *a\n', /lamp\.yaml:1: anchors and aliases are not taken/],
  ['a tag of YAML', 'releases: !!js/function x\n', /lamp\.yaml:1: tags are not taken/],
  ['brackets in one another', `releases: ${'['.repeat(60_000)}`, /lamp\.yaml:1: nested deeper/],
  ['brackets behind one another', `releases:\n  - ${'[ ]\n'.repeat(15_000)}`, /lamp\.yaml:2002: more than 2000 brackets/],
  ['dashes in one another', `releases:\n${'- '.repeat(30_000)}x`, /lamp\.yaml:2: nested deeper/],
  ['questions in one another', '? '.repeat(30_000), /lamp\.yaml:1: nested deeper/],
  ['lines in one another', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), /nested deeper/],
  ['too much', `#${'x'.repeat(MAX_DEFINITION_FILE_BYTES)}`, /lamp\.yaml: 65537 bytes, at most 65536 are read/],
])('refuses %s, by name and place', (_, text, message) => {
  expect(() => read(text)).toThrow(message);
});

it('refuses what is no text', () => {
  expect(() => parseDefinitionFile(new Uint8Array([0xff, 0xfe]), 'lamp.yaml')).toThrow('lamp.yaml: not UTF-8');
});
