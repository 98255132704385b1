import { gzipSync } from 'node:zlib';
import { paxPart, tarBytes } from '@granary/core/test';
import { describe, expect, it } from 'vitest';
import { readBackend } from './backends.ts';
import { readSourceTree } from './source-tree.ts';
import { commitBytes, METADATA, sdistBytes } from './test/small-project.ts';
import { parseGenerator } from './wheel-evidence.ts';

async function sdist(files: Readonly<Record<string, string>>) {
  const evidence = await readSourceTree({ kind: 'archive', fileName: 'demo-1.0.tar.gz' }, sdistBytes(files));
  if (evidence === undefined) throw new Error('unreadable');
  return evidence;
}

describe('a source archive', () => {
  it('tells its build system, as pyproject.toml has it', async () => {
    const evidence = await sdist({ 'pyproject.toml': '[build-system]\nrequires = ["hatchling>=1"]\nbuild-backend = "hatchling.build"\n' });

    expect(evidence.buildSystem).toEqual({ requires: ['hatchling>=1'], backend: 'hatchling.build', backendPath: [] });
    expect(evidence.root).toBe('demo-1.0');
  });

  it('has none when pyproject.toml is no TOML, or says what PEP 518 forbids', async () => {
    expect((await sdist({ 'pyproject.toml': '[build-system' })).buildSystem).toBeUndefined();
    expect((await sdist({ 'pyproject.toml': '[build-system]\nrequires = "hatchling"\n' })).buildSystem).toBeUndefined();
  });

  it('tells its version by PKG-INFO, so that none need be pretended', async () => {
    expect((await sdist({ 'PKG-INFO': METADATA })).version).toBe('1.0');
    expect((await sdist({ 'setup.py': '' })).version).toBeUndefined();
  });

  it('says whether setup.cfg sets the tag of wheels', async () => {
    expect((await sdist({ 'setup.cfg': '[bdist_wheel]\nuniversal = 1\n' })).setsWheelTag).toBe(true);
    expect((await sdist({ 'setup.cfg': '[metadata]\nname = demo\n' })).setsWheelTag).toBe(false);
  });

  it('tells the time of a file by its pax record first', async () => {
    const parts = [paxPart({ mtime: '1591718906.75' }), { name: 'demo-1.0/setup.py', data: '', mtime: 0 }];

    const evidence = await readSourceTree({ kind: 'archive', fileName: 'demo-1.0.tar.gz' }, gzipSync(tarBytes(parts)));

    expect(evidence?.files).toEqual([{ path: 'setup.py', mtime: 1591718906 }]);
  });

  it('of another format is not read', async () => {
    expect(await readSourceTree({ kind: 'archive', fileName: 'demo-1.0.tar.bz2' }, Buffer.from('BZh9'))).toBeUndefined();
  });
});

describe('the tree of a commit', () => {
  const tree = async (files: Readonly<Record<string, string>>, directory?: string) => {
    const read = await readSourceTree({ kind: 'commit', fileName: 'demo-1.tar', ...(directory === undefined ? {} : { directory }) }, commitBytes(files));
    if (read === undefined) throw new Error('unreadable');
    return read;
  };

  it('has its project where the manifest was found, and nowhere else', async () => {
    const one = await tree({ 'demo/setup.py': '', 'demo/pyproject.toml': '[build-system]\nrequires = ["a"]\n' });
    const other = await tree({ 'demo/setup.py': '', LICENSE: '', 'demo/pyproject.toml': '[build-system]\nrequires = ["a"]\n' }, 'demo');

    expect([one.root, one.hasSetupPy, one.buildSystem]).toEqual(['', false, undefined]);
    expect([other.root, other.hasSetupPy, other.buildSystem?.requires]).toEqual(['demo', true, ['a']]);
    expect(other.files.map(({ path }) => path).toSorted()).toEqual(['LICENSE', 'pyproject.toml', 'setup.py']);
  });

  it('tells the version where its manifest does', async () => {
    expect((await tree({ 'pyproject.toml': '[project]\nname = "demo"\nversion = "1.0"\n' })).version).toBe('1.0');
    expect((await tree({ 'pyproject.toml': '[tool.x]\n', 'setup.cfg': '[metadata]\nname = demo\nversion = 1.0\n' })).version).toBe('1.0');
    expect((await tree({ 'pyproject.toml': '[project]\nname = "demo"\ndynamic = ["version"]\n' })).version).toBeUndefined();
    // Of no archive that a tool made.
    expect((await tree({ 'PKG-INFO': METADATA })).version).toBeUndefined();
  });

  it('tells no times: those are of the commit', async () => {
    expect((await tree({ 'setup.py': '' })).files).toEqual([{ path: 'setup.py', mtime: undefined }]);
  });
});

describe('the backend of a wheel', () => {
  const HATCH = { 'pyproject.toml': '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n' };
  const pinsOf = async (generator: string, files: Readonly<Record<string, string>> = HATCH) => {
    const pin = readBackend(parseGenerator(generator), await sdist(files));
    return typeof pin === 'string' ? pin : [...pin.pins, pin.hooks];
  };

  it('is pinned to the version that Generator names', async () => {
    expect(await pinsOf('hatchling 1.18.0')).toEqual(['hatchling==1.18.0', 'hatchling.build']);
    expect(await pinsOf('bdist_wheel (0.41.2)')).toEqual(['wheel==0.41.2', 'setuptools.build_meta:__legacy__']);
    expect(await pinsOf('setuptools (75.1.0)')).toEqual(['setuptools==75.1.0', 'setuptools.build_meta:__legacy__']);
    expect(await pinsOf('flit 3.9.0')).toEqual(['flit-core==3.9.0', 'flit_core.buildapi']);
    expect(await pinsOf('flit 1.3')).toEqual(['flit==1.3', 'flit.buildapi']);
  });

  it('is poetry-core where early releases called themselves poetry', async () => {
    expect(await pinsOf('poetry 1.0.8')).toEqual(['poetry-core==1.0.8', 'poetry.core.masonry.api']);
    expect(await pinsOf('poetry 0.12.17')).toEqual(['poetry==0.12.17', 'poetry.masonry.api']);
  });

  it('is what the source declares when Generator is of no known tool', async () => {
    expect(await pinsOf('homemade 1.0')).toEqual(['hatchling.build']);
    expect(await pinsOf('homemade 1.0', { 'README.md': '' })).toBe('unsupported-backend');
  });

  it('may be one that makes machine code', async () => {
    expect(await pinsOf('maturin (1.3.0)')).toBe('native-code');
  });
});
