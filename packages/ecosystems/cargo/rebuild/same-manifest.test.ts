import { describe, expect, it } from 'vitest';
import { sameManifest } from './same-manifest.ts';

const BEFORE = `[package]
name = "wick-oil"
version = "1.0.0"
keywords = ["a", "b"]
[package.metadata.docs]
targets = ["x"]
features = ["y"]
[[bench]]
name = "speed"
harness = false
[profile.release]
debug = true
[lib]
proc-macro = true
[dependencies.oil]
version = "1"
`;
/** The same from a later cargo. */
const AFTER = `[package]
name = "wick-oil"
version = "1.0.0"
build = false
autolib = false
autobins = false
autoexamples = false
autotests = false
autobenches = false
readme = false
keywords = [
    "a",
    "b",
]
[package.metadata.docs]
features = ["y"]
targets = ["x"]
[features]
[lib]
name = "wick_oil"
path = "src/lib.rs"
proc-macro = true
[[bin]]
name = "wick-oil"
path = "src/main.rs"
[[bin]]
name = "other"
path = "src/bin/other/main.rs"
[[test]]
name = "all"
path = "tests/all.rs"
[[bench]]
name = "speed"
path = "benches/speed.rs"
harness = false
[dependencies.oil]
version = "1"
[profile.release]
debug = 2
`;

describe('two manifests', () => {
  it('say the same where versions of cargo write them otherwise', () => {
    expect(sameManifest(BEFORE, AFTER)).toBe(true);
  });

  it('do not where one says that its build script runs, and the other that it does not', () => {
    const runs = AFTER.replace('build = false', 'build = "build.rs"');

    expect(sameManifest(AFTER, runs)).toBe(false);
    expect(sameManifest(runs, AFTER)).toBe(false);
  });

  it.each([
    ['another dependency', AFTER.replace('[dependencies.oil]', '[dependencies.oil-2]')],
    ['another version of one', AFTER.replace('version = "1"\n', 'version = "2"\n')],
    ['a program that runs when it is built', AFTER.replace('build = false', 'build = "tests/build.rs"')],
    ['a library elsewhere', AFTER.replace('src/lib.rs', 'src/other.rs')],
    ['a library of another name', AFTER.replace('wick_oil', 'oil')],
    ['a program elsewhere', AFTER.replace('src/main.rs', 'data/main.rs')],
    ['the program of another package', AFTER.replace('name = "other"\npath = "src/bin/other/main.rs"', 'name = "other"\npath = "src/main.rs"')],
    ['more of a program', AFTER.replace('path = "src/main.rs"', 'path = "src/main.rs"\nrequired-features = ["x"]')],
    ['what only its own tests need', `${AFTER}[dev-dependencies]\ntinder = "1"\n`],
    ['another order of a list', AFTER.replace('"a",\n    "b"', '"b",\n    "a"')],
    ['a program without a name', AFTER.replace('name = "other"\n', '')],
    ['tables for values', AFTER.replace('[lib]', '[package.autolib]')],
    ['what stands in a prototype', `${AFTER}[__proto__]\nname = "x"\n`],
    ['nothing that can be read', '['],
    ['more than can be', `${AFTER}#${' '.repeat(512 * 1024)}`],
  ])('do not where one has %s', (_, other) => {
    expect(sameManifest(BEFORE, other)).toBe(false);
    expect(sameManifest(other, BEFORE)).toBe(false);
  });
});
