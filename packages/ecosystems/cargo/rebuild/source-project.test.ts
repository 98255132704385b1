import { describe, expect, it } from 'vitest';
import { readSourceProject } from './source-project.ts';
import { type Files, MANIFEST, treeBytes } from './test/small-crate.ts';

const read = (files: Files, directory = '') => readSourceProject(treeBytes(files), directory);
const needs = (text: string, more: Files = {}) => read({ 'Cargo.toml': `${MANIFEST}${text}`, ...more })?.requirements;

describe('what a package needs', () => {
  it('is what its manifest asks for, of all kinds and for all platforms, with the features that its own turn on', () => {
    const text = `
[dependencies]
oil = "1"
hidden = { version = ">=1, <3", optional = true, features = ["b", "a"], default-features = false }
renamed = { package = "other", version = "0.3" }
[dev-dependencies]
tinder = "2"
[build-dependencies]
flint = { version = "3", default_features = false }
[target.'cfg(windows)'.dependencies]
pane = "4"
[target.x86_64-unknown-linux-gnu.dev-dependencies]
old = "5"
[features]
bright = ["dep:hidden", "hidden/c", "oil?/warm"]
`;

    expect(needs(text)).toEqual([
      'flint 3 []',
      'hidden >=1, <3 [a b c]',
      'oil 1 [default warm]',
      'old 5 [default]',
      'other 0.3 [default]',
      'pane 4 [default]',
      'tinder 2 [default]',
    ]);
  });

  it('is looked up in the registry, where there is a version of it', () => {
    const text = `
[dependencies]
beside = { path = "../beside", version = "1" }
branch = { git = "https://forge.example/branch", version = "2" }
elsewhere = { version = "1", registry = "other" }
[dev-dependencies]
nowhere = { path = "../nowhere" }
loose = { git = "https://forge.example/loose" }
`;

    expect(needs(text)).toEqual(['beside 1 [default]', 'branch 2 [default]']);
  });

  it('is none of what no registry can have', () => {
    const strange = ['"../up" = "1"', 'x = "1 && 2"', 'y = "1]["', `${'z'.repeat(65)} = "1"`].map((line) => needs(`[dependencies]\n${line}\n`));

    expect(strange).toEqual([[], [], [], undefined]);
    expect(needs(`[dependencies]\n${Array.from({ length: 5001 }, (_, index) => `a${index} = "1"`).join('\n')}\n`)).toBeUndefined();
    expect(needs('[dependencies]\nx = 1\n')).toBeUndefined();
    expect(needs(`#${' '.repeat(512 * 1024)}\n`)).toBeUndefined();
    expect(needs('[__proto__.dependencies]\nx = "1"\n')).toEqual([]);
    expect(needs('[dependencies]\n__proto__ = "1"\nconstructor = { workspace = true }\n[dependencies.toString]\nversion = "1"\n')).toEqual([
      'toString 1 [default]',
    ]);
  });
});

describe('a workspace', () => {
  const ROOT = `[workspace]
members = ["crates/*", "tools"]
exclude = ["crates/old"]
[workspace.dependencies]
oil = { version = "1.5", features = ["a"], default-features = false }
`;
  const member = (name: string, text = '') => `[package]\nname = "${name}"\nversion = "1.0.0"\n${text}`;
  const files = {
    'Cargo.toml': ROOT,
    'Cargo.lock': 'version = 3\n',
    'crates/wick/Cargo.toml': member('wick', '[dependencies]\noil = { workspace = true, features = ["b"] }\nlamp = { path = "../lamp", version = "1" }\n'),
    'crates/lamp/Cargo.toml': member('lamp', '[dependencies]\nwick = { path = "../wick", version = "1" }\npane = "4"\nfar = { path = "../../far" }\n'),
    'crates/old/Cargo.toml': member('old', '[dependencies]\nancient = "1"\n'),
    'far/Cargo.toml': member('far', '[dependencies]\nstar = "1"\nout = { path = "../../../out" }\nabsolute = { path = "/etc" }\n'),
    'fixtures/Cargo.toml': member('fixtures', '[dependencies]\nunused = "1"\n'),
  };

  it('says what its members inherit, and which of them there are', () => {
    expect(read(files, 'crates/wick')).toEqual({
      root: '',
      lock: 'version = 3\n',
      requirements: ['lamp 1 [default]', 'oil 1.5 [a b]'],
      ofWorkspace: ['ancient 1 [default]', 'oil 1.5 [a b]', 'pane 4 [default]', 'star 1 [default]'],
    });
  });

  it('is not that of a folder which it excludes, nor of one that names another', () => {
    expect(read(files, 'crates/old')?.root).toBe('crates/old');
    expect(read({ ...files, 'crates/wick/Cargo.toml': '[package]\nname = "wick"\nworkspace = "../.."\n' }, 'crates/wick')?.root).toBe('');
    expect(read({ ...files, 'crates/wick/Cargo.toml': '[package]\nname = "wick"\nworkspace = "../../../.."\n' }, 'crates/wick')?.root).toBe('');
    expect(read({ 'a/Cargo.toml': member('a') }, 'a')?.root).toBe('a');
    expect(read({}, 'a')).toBeUndefined();
  });

  it('has at most a thousand members', () => {
    const many = Object.fromEntries(
      Array.from({ length: 1200 }, (_, index) => [`crates/m${index}/Cargo.toml`, member(`m${index}`, `[dependencies]\nd${index} = "1"\n`)]),
    );

    expect(read({ 'Cargo.toml': ROOT, ...many }, 'crates/m1')?.ofWorkspace).toHaveLength(1000);
  });
});
