import type { SourceFile } from '@granary/core/compare';
import { describe, expect, it } from 'vitest';
import { moduleFiles } from './module-files.ts';

const goMod = (version: string) => `module mod.example/lamp\n\ngo ${version}\n`;

/** A tree of files by their text; of a number of bytes; or of links. */
function tree(files: Readonly<Record<string, string | number | 'link'>>): readonly SourceFile[] {
  return Object.entries(files).map(([path, text]): SourceFile => {
    const bytes = Buffer.from(typeof text === 'string' ? text : '');
    return { path, type: text === 'link' ? 'link' : 'file', sizeBytes: typeof text === 'number' ? text : bytes.length, read: () => bytes };
  });
}
/** Of files with nothing in them. */
function kept(paths: readonly string[], goVersion = '1.21'): readonly string[] | undefined {
  const files = moduleFiles(tree({ 'go.mod': goMod(goVersion), ...Object.fromEntries(paths.map((path) => [path, ''])) }), '');
  return files === undefined ? undefined : [...files.keys()].filter((path) => path !== 'go.mod');
}

describe('the files of a module', () => {
  it('are those of the repository, but for links', () => {
    const files = moduleFiles(
      tree({ 'go.mod': goMod('1.21'), 'a.go': '', '.github/x.yml': '', to: 'link', 'testdata/ü b.txt': '', '.hg_archival.txt': '' }),
      '',
    );

    expect([...(files ?? [])]).toEqual(['go.mod', 'a.go', '.github/x.yml', 'testdata/ü b.txt'].map((path) => [path, path]));
  });

  it('are not those of modules in it, wherever they begin', () => {
    expect(kept(['a.go', 'sub/go.mod', 'sub/a.go', 'sub/deep/a.go', 'sub2/a.go', 'deep/er/GO.MOD', 'deep/er/a.go', 'deep/a.go'])).toEqual([
      'a.go',
      'sub2/a.go',
      'deep/a.go',
    ]);
    expect([...(moduleFiles(tree({ 'sub/go.mod': 'link', 'sub/a.go': '' }), '') ?? []).keys()]).toEqual(['sub/a.go']);
  });

  it('are not those of vendored packages, as each version of the language has it', () => {
    const paths = ['vendor/modules.txt', 'vendor/x.example/a.go', 'pkg/vendor/vendor.go', 'pkg/vendor/x/x.go', 'a/vendor/vendor.go', 'vendored/a.go'];

    expect(kept(paths, '1.23')).toEqual(['vendor/modules.txt', 'vendored/a.go']);
    expect(kept(paths, '1.24.1')).toEqual(['pkg/vendor/vendor.go', 'a/vendor/vendor.go', 'vendored/a.go']);
    expect(kept(paths, 'next')).toEqual(kept(paths, '1.23'));
    expect(kept(['vendor/modules.txt'], '1.24')).toEqual([]);
  });

  it('of a folder are those below it, with a licence of the repository where it has none', () => {
    const files = { 'go.mod': goMod('1.21'), LICENSE: 'all', 'a.go': '', 'sub/go.mod': goMod('1.21'), 'sub/a.go': '', 'sub/LICENSE.md': '', 'subway/a.go': '' };

    expect(Object.fromEntries(moduleFiles(tree(files), 'sub') ?? [])).toEqual({
      'go.mod': 'sub/go.mod',
      'a.go': 'sub/a.go',
      'LICENSE.md': 'sub/LICENSE.md',
      LICENSE: 'LICENSE',
    });
    expect(moduleFiles(tree({ ...files, 'sub/LICENSE': 'own' }), 'sub')?.get('LICENSE')).toBe('sub/LICENSE');
    expect(moduleFiles(tree({ ...files, 'sub/LICENSE': 'link' }), 'sub')?.has('LICENSE')).toBe(false);
    expect(moduleFiles(tree({ ...files, LICENSE: 16 * 2 ** 20 + 1 }), 'sub')?.has('LICENSE')).toBe(false);
    expect(moduleFiles(tree({ ...files, LICENCE: '' }), '')?.has('LICENSE')).toBe(true);
  });
});

describe('a tree of which no module can be made', () => {
  it.each([
    ['a name that differs in case only', ['a/File.go', 'a/file.go']],
    ['a folder that does', ['Docs/one', 'docs/two']],
    ['a name that differs in a letter beyond ASCII', ['\u212Aelvin', 'kelvin']],
    ['a go.mod of another case', ['GO.mod']],
    ['what Windows keeps for devices', ['test/aux.go']],
    ['a dot at its end', ['folder./a']],
    ['a quote', ["it's"]],
    ['a colon', ['a:b']],
    ['a sign that is no letter', ['\u{1f4a1}']],
    ['a sign that combines with the letter before', ['u\u0308']],
  ])('has %s', (_, paths) => {
    expect(kept(paths)).toBeUndefined();
  });

  it('is judged by links too, and not by what is left out anyway', () => {
    expect(moduleFiles(tree({ 'a.go': '', 'A.go': 'link' }), '')).toBeUndefined();
    expect(kept(['vendor/x/aux', 'sub/go.mod', "sub/it's", 'other/a', 'OTHER.go'])).toEqual(['other/a', 'OTHER.go']);
    expect(kept(['\u0131', 'i', '\u0130', 'con1', 'a b~1'])).toHaveLength(5);
  });

  it('is larger than the tool takes', () => {
    const mebibytes = (count: number) => count * 2 ** 20;

    expect(moduleFiles(tree({ a: mebibytes(300), b: mebibytes(200) }), '')?.size).toBe(2);
    expect(moduleFiles(tree({ a: mebibytes(300), b: mebibytes(200) + 1 }), '')).toBeUndefined();
    expect(moduleFiles(tree({ a: mebibytes(300), 'vendor/x/b': mebibytes(300) }), '')?.size).toBe(1);
    expect(moduleFiles(tree({ LICENSE: mebibytes(16) + 1 }), '')).toBeUndefined();
    expect(moduleFiles(tree({ 'go.mod': mebibytes(16) + 1 }), '')).toBeUndefined();
  });
});
