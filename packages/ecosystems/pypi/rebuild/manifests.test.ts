import { describe, expect, it } from 'vitest';
import { readManifest } from './manifests.ts';

const read = (fileName: string, text: string) => readManifest(fileName, Buffer.from(text));

describe('a pyproject.toml', () => {
  it.each([
    ['the standard table', '[project]\nname = "Demo.Kit"\nversion = "2026.04.22"\n', { name: 'Demo.Kit', version: '2026.4.22' }],
    ['a dynamic version', '[project]\nname = "demo"\ndynamic = ["version"]\n', { name: 'demo' }],
    ['poetry', '[tool.poetry]\nname = "demo"\nversion = "1.0"\n', { name: 'demo', version: '1.0' }],
    ['poetry, which adds a version', '[project]\nname = "demo"\n[tool.poetry]\nversion = "1.0"\n', { name: 'demo', version: '1.0' }],
    ['a plugin that replaces it', '[tool.poetry]\nname = "demo"\nversion = "0"\n[tool.poetry-dynamic-versioning]\nenable = true\n', { name: 'demo' }],
    ['flit of old', '[tool.flit.metadata]\nmodule = "demo"\n', { name: 'demo' }],
    ['flit of old with another name', '[tool.flit.metadata]\nmodule = "demo"\ndist-name = "demo-kit"\n', { name: 'demo-kit' }],
    ['no version at all', '[project]\nname = "demo"\nversion = "attr: x"\n', { name: 'demo' }],
  ])('names its project: %s', (_, text, manifest) => {
    expect(read('pyproject.toml', text)).toEqual(manifest);
  });

  it.each([
    ['only tools', '[build-system]\nrequires = []\n[tool.black]\nline-length = 100\n'],
    ['no TOML', '[project\nname = "demo"'],
    ['a name that is no text', '[project]\nname = ["demo"]\n'],
    ['names of every object', '[__proto__]\nname = "demo"\n[constructor.prototype]\nname = "demo"\n'],
    ['a table ten thousand deep', `[${'a.'.repeat(10_000)}a]\nname = "demo"\n`],
    ['a list ten thousand deep', `project = ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`],
  ])('is none: %s', (_, text) => {
    expect(read('pyproject.toml', text)).toBeUndefined();
  });

  it('tells of one tool what another wrote badly', () => {
    expect(read('pyproject.toml', '[project]\nname = 3\n[tool.flit]\nmetadata = 1\n[tool.poetry]\nname = "demo"\n')).toEqual({ name: 'demo' });
  });
});

describe('a setup.cfg', () => {
  it('names its project, and leaves a version that stands elsewhere open', () => {
    expect(read('setup.cfg', '# a comment\n[metadata]\nname: demo\nversion = 1.0.post1\n')).toEqual({ name: 'demo', version: '1.0.post1' });
    expect(read('setup.cfg', '[metadata]\r\nname = demo\r\nversion = attr: demo.__version__\r\n')).toEqual({ name: 'demo' });
    expect(read('setup.cfg', '[metadata]\nlong-description =\n  name = other\n  [metadata]\nname = demo\n')).toEqual({ name: 'demo' });
  });

  it.each([
    ['tools only', '[flake8]\nname = demo\n'],
    ['an option before any section', 'name = demo\n[metadata]\nname = demo\n'],
    ['a section of every object', '[__proto__]\nname = demo\n'],
    ['a line that is no option', '[metadata]\nname demo\n'],
  ])('is none: %s', (_, text) => {
    expect(read('setup.cfg', text)).toBeUndefined();
  });
});

describe('a setup.py', () => {
  it.each([
    ['a literal argument', 'from setuptools import setup\nsetup(\n    name="demo",\n    version="1.0",\n)\n', { name: 'demo' }],
    ['the same twice', "name = 'demo'\nsetup(name='demo')\n", { name: 'demo' }],
    ['one that is made elsewhere', 'setup(name=about["__title__"])\n', {}],
    ['one that is put together', 'setup(name="de" + "mo")\n', {}],
    ['two of them', 'setup(name="demo", ext_modules=[Extension(name="demo._fast")])\n', {}],
    ['one on the next line', 'setup(name =\n  "demo"\n)\n', { name: 'demo' }],
  ])('is read where it is plain: %s', (_, text, manifest) => {
    expect(read('setup.py', text)).toEqual(manifest);
  });

  it.each([
    ['a call without any', 'from setuptools import setup\nsetup()\n'],
    ['a comment', '# setup(name="demo")\nsetup()\n'],
    ['another word', 'setup(filename="demo")\nif name == "demo": pass\n'],
  ])('is no manifest: %s', (_, text) => {
    expect(read('setup.py', text)).toBeUndefined();
  });

  it('takes no longer the larger it is made on purpose', () => {
    const started = performance.now();

    read('setup.py', `${'name '.repeat(50_000)}${' '.repeat(500_000)}${'\tname ='.repeat(30_000)}`);
    read('setup.cfg', `[metadata]\nx${' '.repeat(900_000)}`);

    expect(performance.now() - started).toBeLessThan(2000);
  });
});

it('a file of another name is no manifest', () => {
  expect(read('package.json', '{"name":"demo"}')).toBeUndefined();
});
