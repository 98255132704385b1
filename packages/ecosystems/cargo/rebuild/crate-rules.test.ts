import { compareArtifacts } from '@granary/core/compare';
import { describe, expect, it } from 'vitest';
import { cargoRules } from './crate-rules.ts';
import { crateBytes, type Files, lockText, OWN, VCS_INFO, WRITTEN } from './test/small-crate.ts';

const FILES: Files = { 'Cargo.toml': WRITTEN, '.cargo_vcs_info.json': VCS_INFO, 'src/lib.rs': 'pub fn a() {}\n' };
async function compared(upstream: Files, rebuild: Files, mtime = 1) {
  const rules = cargoRules('wick-1.0.0.crate');
  if (rules === undefined) throw new Error('no rules');
  const { rung, needed, residue } = await compareArtifacts({
    upstream: crateBytes({ ...FILES, ...upstream }),
    rebuild: crateBytes({ ...FILES, ...rebuild }, mtime),
    rules,
  });
  return { rung, needed: needed.map(({ name }) => name), residue: residue.map(({ path, kind, cause }) => `${path} ${kind} ${cause}`) };
}
const lock = (version: string, more?: string) => ({
  'Cargo.lock': lockText(['wick', '1.0.0', OWN], more === undefined ? ['oil', version] : ['oil', version, more]),
});
const causeOf = async (upstream: Files, rebuild: Files) => (await compared(upstream, rebuild)).residue[0]?.split(' ').at(-1);

describe('two crates', () => {
  it('may differ in their time stamps, and in what cargo said of a commit before 1.57', async () => {
    expect(await compared({}, {})).toMatchObject({ rung: 'identical' });
    expect(await compared({}, {}, 1_153_704_088)).toMatchObject({ rung: 'identical-files' });
    const before = { '.cargo_vcs_info.json': `${JSON.stringify({ git: { sha1: '1'.repeat(40) } }, null, 2)}\n` };
    expect(await compared(before, {})).toMatchObject({ rung: 'equivalent', needed: ['crate.vcs-info-form'] });
    expect(await compared({ '.cargo_vcs_info.json': VCS_INFO.replace('""', '"a"') }, {})).toMatchObject({ rung: 'none' });
    expect(await compared({ '.cargo_vcs_info.json': JSON.stringify({ git: { sha1: '2'.repeat(40) } }) }, {})).toMatchObject({ rung: 'none' });
  });

  it('may have a lock in the rebuild alone, and not in the published crate alone', async () => {
    expect(await compared({}, lock('1.0.0'))).toMatchObject({ rung: 'equivalent', needed: ['crate.lock-of-library'] });
    expect(await compared(lock('1.0.0'), {})).toMatchObject({ rung: 'none', residue: ['wick-1.0.0/Cargo.lock only-upstream extra-upstream-files'] });
  });

  it('may differ in the format of their locks, where nothing comes from git', async () => {
    const format = (version: number, source: string, more = '') => ({
      'Cargo.lock': `# made by cargo\nversion = ${version}\n\n[[package]]\nname = "oil"\nversion = "1.0.0"\nsource = "${source}"\n${more}`,
    });
    const registry = 'registry+https://registry.example/index';
    expect(await compared(format(3, registry), format(4, registry))).toMatchObject({ rung: 'equivalent', needed: ['crate.lock-form'] });
    for (const [theirs, ours] of [
      [format(2, registry), format(4, registry)],
      [format(3, registry), format(4, registry, 'dependencies = ["wax"]\n')],
      [format(3, 'git+https://forge.example/oil#1'), format(4, 'git+https://forge.example/oil#1')],
      [{ 'Cargo.lock': '[[package]]\nname = "a"\nversion = 3\n' }, { 'Cargo.lock': '[[package]]\nname = "a"\nversion = 4\n' }],
    ] as const)
      expect(await compared(theirs, ours)).toMatchObject({ rung: 'none' });
  });

  it('may differ by what dependencies came to, and by nothing else in a lock', async () => {
    expect(await causeOf(lock('1.0.0'), lock('1.1.0'))).toBe('build-metadata');
    expect(await causeOf(lock('1.0.0', 'source = "git+https://forge.example/oil#1"\n'), lock('1.0.0'))).toBe('content-unexplained');
    expect(await causeOf(lock('1.0.0', `source = "registry+https://registry.example/index"\nchecksum = "${'0'.repeat(64)}"\n`), lock('1.0.0'))).toBe(
      'content-unexplained',
    );
    expect(await causeOf(lock('1.0.0', 'source = "registry+https://other.example/index"\n'), lock('1.1.0'))).toBe('content-unexplained');
    expect(await causeOf({ 'Cargo.lock': lockText(['other', '1.0.0', OWN]) }, lock('1.0.0'))).toBe('content-unexplained');
    expect(await causeOf({ 'Cargo.lock': '[[package' }, lock('1.0.0'))).toBe('content-unexplained');
    expect(await causeOf({ 'Cargo.lock': `${lock('1.0.0')['Cargo.lock']}#${' '.repeat(4 * 2 ** 20)}` }, lock('1.1.0'))).toBe('content-unexplained');
  });

  it('may differ by how cargo writes a manifest, and not by what that says', async () => {
    const reordered = WRITTEN.replace('edition = "2021"\n', '').replace('name = "wick"', 'edition = "2021"\nautobins = false\nname = \'wick\'');
    expect(await compared({ 'Cargo.toml': reordered }, {})).toMatchObject({ rung: 'equivalent', needed: ['crate.manifest-form'] });
    for (const more of ['build = "other.rs"\n', '[dependencies.oil]\nversion = "1"\n', '[__proto__]\na = 1\n', '[', `# ${' '.repeat(512 * 1024)}\n`])
      expect(await causeOf({ 'Cargo.toml': `${WRITTEN}${more}` }, {})).toBe('content-unexplained');
  });

  it('are what their own files make of their manifests', async () => {
    const program = { 'src/bin/light.rs': 'fn main() {}\n' };
    const listed = `${WRITTEN}autobins = false\n[[bin]]\nname = "light"\npath = "src/bin/light.rs"\n`;
    expect(await compared(program, { ...program, 'Cargo.toml': listed })).toMatchObject({ rung: 'equivalent', needed: ['crate.manifest-form'] });
    expect(await compared(program, { 'Cargo.toml': WRITTEN })).toMatchObject({ rung: 'none' });
    expect(await compared(program, { ...program, 'Cargo.toml': `${WRITTEN}autobins = false\n` })).toMatchObject({
      residue: ['wick-1.0.0/Cargo.toml content content-unexplained'],
    });
  });

  it('say by which file they differ in everything else', async () => {
    expect(await causeOf({ 'src/lib.rs': 'pub fn b() {}\n' }, {})).toBe('content-unexplained');
    expect(await causeOf({ 'src/evil.rs': '\n' }, {})).toBe('extra-upstream-files');
  });
});

it('are compared by the name of their files', () => {
  expect(cargoRules('wick-1.0.0.tar')).toBeUndefined();
});
