import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDeclared } from './manifest.ts';
import { artifactPurl, crateFileName, cratePath } from './names.ts';

const artifact = { purl: artifactPurl('ember', '1.0.0'), fileName: crateFileName('ember', '1.0.0'), path: cratePath('ember', '1.0.0'), digests: {} };

function crateWith(manifest: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'granary-crate-'));
  mkdirSync(join(folder, 'ember-1.0.0'));
  writeFileSync(join(folder, 'ember-1.0.0', 'Cargo.toml'), manifest);
  execFileSync('tar', ['-czf', 'ember.crate', 'ember-1.0.0'], { cwd: folder });
  const bytes = readFileSync(join(folder, 'ember.crate'));
  rmSync(folder, { recursive: true });
  return bytes;
}

it.each([
  ['MIT', { licence: 'MIT' }],
  ['MIT/Apache-2.0', { licence: 'MIT OR Apache-2.0' }],
  ['(MIT OR Apache-2.0) AND Unicode-3.0', { licence: '(MIT OR Apache-2.0) AND Unicode-3.0' }],
  ['whatever you like', {}],
])('a crate under %s', async (license, declared) => {
  expect(await readDeclared(artifact, crateWith(`[package]\nname = "ember"\nlicense = "${license}"\n`))).toEqual(declared);
});

it.each([['[package'], ['package = 1'], ['']])('a manifest that says nothing usable tells nothing: %j', async (manifest) => {
  expect(await readDeclared(artifact, crateWith(manifest))).toEqual({});
});

it('bytes that are no archive tell nothing', async () => {
  expect(await readDeclared(artifact, new Uint8Array(100))).toEqual({});
});
