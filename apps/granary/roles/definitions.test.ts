import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { toPurl } from '@granary/core/model';
import { afterEach, describe, expect, it } from 'vitest';
import { readDefinitions } from './definitions.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'granary-definitions-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}
const read = async (files: Readonly<Record<string, string>>) => await readDefinitions({ definitions: await folderOf(files) });
const SOMETHING = 'releases: [{source: {directory: here}}]';

describe('definitions', () => {
  it('are none where no folder is configured', async () => {
    expect(await readDefinitions({})).toBe(undefined);
  });

  it('are found by package and by ranges as people ask for packages, the first that fits', async () => {
    const ranged = (first: string) => `releases:\n  - {versions: "${first}", source: {directory: first}}\n  - source: {directory: other}\n`;
    const definitions = await read({
      'npm/%40house/lamp.yaml': ranged('^1.2'),
      'npm/!j!s!o!n!stream.yaml': SOMETHING,
      'pypi/zope-interface.yaml': ranged('^5.0'),
      'cargo/serde_json.yaml': ranged('~1.0.5'),
      'npm/wick.yaml': ranged('vers:npm/>=1.0.0|<1.5.0'),
      'pypi/wick.yaml': ranged('vers:pypi/1.0|1.2|>=2|<3'),
      'README.md': 'what these are',
      '.git/config': 'not looked into',
    });
    const directoryOf = (purl: string) => definitions?.of({ purl: toPurl(purl) })?.definition.directory;

    expect(definitions?.packages).toBe(6);
    expect(['1.2.0', '1.9.9-beta.1', '2.0.0'].map((version) => directoryOf(`pkg:npm/%40house/lamp@${version}?file_name=lamp.tgz`))).toEqual([
      'first',
      'first',
      'other',
    ]);
    expect(['5.4', '6.0', '5.0rc1'].map((version) => directoryOf(`pkg:pypi/zope-interface@${version}`))).toEqual(['first', 'other', 'other']);
    expect(['1.0.7', '1.1.0'].map((version) => directoryOf(`pkg:cargo/serde_json@${version}`))).toEqual(['first', 'other']);
    expect(['1.0.8-rc.1'].map((version) => directoryOf(`pkg:cargo/serde_json@${version}`))).toEqual(['first']);
    expect(['1.0', '1.1', '1.2', '2.5', '3.0'].map((version) => directoryOf(`pkg:pypi/wick@${version}`))).toEqual([
      'first',
      'other',
      'first',
      'first',
      'other',
    ]);
    expect(['1.4.9', '1.5.0'].map((version) => directoryOf(`pkg:npm/wick@${version}`))).toEqual(['first', 'other']);
    expect([directoryOf('pkg:npm/!j!s!o!n!stream@1.0.0'), directoryOf('pkg:npm/jsonstream@1.0.0'), directoryOf('pkg:npm/lamp@1.2.0')]).toEqual([
      'here',
      undefined,
      undefined,
    ]);
  });

  it('are another after any change of their file', async () => {
    const [one, other] = [await read({ 'npm/lamp.yaml': SOMETHING }), await read({ 'npm/lamp.yaml': `${SOMETHING}\n# why\n` })];
    const entryOf = (definitions: typeof one) => definitions?.of({ purl: toPurl('pkg:npm/lamp@1.0.0') });

    expect(entryOf(one)?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(entryOf(one)?.sha256).not.toBe(entryOf(other)?.sha256);
  });

  it.each([
    ['of no ecosystem', 'gem/rails.yaml', SOMETHING, /gem\/rails\.yaml: definitions of gem are not taken; expected a folder of cargo, npm, pypi/],
    ['of an ecosystem that takes none', 'golang/forge.example/owner/name.yaml', SOMETHING, /definitions of golang are not taken/],
    ['of no package', 'npm/.yaml', SOMETHING, undefined],
    ['in capitals', 'pypi/Flask.yaml', SOMETHING, /Flask\.yaml: the package is pkg:pypi\/flask; expected the file pypi\/flask\.yaml/],
    ['in another spelling', 'pypi/zope.interface.yaml', SOMETHING, /expected the file pypi\/zope-interface\.yaml/],
    ['in capitals that the ecosystem writes otherwise', 'npm/JSONStream.yaml', SOMETHING, /expected the file npm\/!j!s!o!n!stream\.yaml/],
    ['of a scope that is not encoded', 'npm/@house/lamp.yaml', SOMETHING, /expected the file npm\/%40house\/lamp\.yaml/],
    ['of a release', 'npm/lamp@1.0.0.yaml', SOMETHING, /not named as a package is/],
    ['of a folder too many', 'npm/house/lamp/more.yaml', SOMETHING, /not a package URL such as/],
    ['that leaves its folder', 'npm/%2e%2e%2flamp.yaml', SOMETHING, /lamp\.yaml/],
    ['with another suffix', 'npm/lamp.yml', SOMETHING, /lamp\.yml: expected folders, and files such as/],
    ['with no range', 'npm/lamp.yaml', 'releases:\n  - versions: "?? 1 nothing"\n', /lamp\.yaml:2:\d+: releases\.0\.versions: /],
    [
      'with a tag of the registry',
      'npm/lamp.yaml',
      'releases:\n  - {versions: next-13, source: {tag: v1}}\n',
      /lamp\.yaml:2:\d+: releases\.0\.versions: next-13 is a tag, which moves/,
    ],
    ['with a variable of the build', 'npm/lamp.yaml', 'releases: [{build: {environment: {SOURCE: x}}}]', /environment\.SOURCE: the build sets it itself/],
    [
      'with requirements that nobody installs',
      'cargo/lamp.yaml',
      'releases: [{build: {requirements: [x]}}]',
      /builds of cargo install what the project's own files ask for/,
    ],
    [
      'with requirements from elsewhere',
      'pypi/lamp.yaml',
      'releases: [{build: {requirements: ["x @ https://files.example/x"]}}]',
      /requirements\.0: expected a project and versions/,
    ],
    [
      'with an option for a requirement',
      'pypi/lamp.yaml',
      'releases: [{build: {requirements: ["--index-url=https://x.example"]}}]',
      /requirements\.0: expected a project/,
    ],
  ])('are refused %s', async (_, path, text, message) => {
    const reading = read({ [path]: text });

    if (message === undefined) expect((await reading)?.packages).toBe(0);
    else await expect(reading).rejects.toThrow(message);
  });

  it('are no links, and lie in a folder that can be read', async () => {
    const folder = await folderOf({ 'npm/lamp.yaml': SOMETHING });
    await symlink('/etc/hostname', join(folder, 'npm/wick.yaml'));

    await expect(readDefinitions({ definitions: folder })).rejects.toThrow(/wick\.yaml: expected .*links are not followed/);
    await expect(readDefinitions({ definitions: join(folder, 'missing') })).rejects.toThrow(/missing: can't be read; name a folder/);
  });
});
