import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cargoCredentials } from './credentials.ts';

const INDEX = 'https://registry.example/index/';
const SETTINGS = '[source.crates-io]\nreplace-with = "team"\n[registries.team]\nindex = "sparse+https://registry.example/index/"\n';

it('is the token of the registry whose index it is', () => {
  expect(tokenOf(SETTINGS, '[registries.team]\ntoken = "abc"\n[registries.other]\ntoken = "def"\n')).toBe('abc');
});

it.each([
  ['another registry', '[registries.other]\ntoken = "abc"\n'],
  ['no table', 'registries = 1\n'],
  ['no TOML', '[[['],
  ['nothing', ''],
  ['what no header can hold', '[registries.team]\ntoken = "a\\nb"\n'],
])('is nothing of %s', (_what, secrets) => {
  expect(tokenOf(SETTINGS, secrets)).toBeUndefined();
});

it('is nothing where settings name no such index', () => {
  expect(tokenOf('[registries.team]\nindex = "sparse+https://other.example/index/"\n', '[registries.team]\ntoken = "abc"\n')).toBeUndefined();
});

function tokenOf(settings: string, secrets: string): string | undefined {
  const home = mkdtempSync(join(tmpdir(), 'granary-cargo-'));
  writeFileSync(join(home, 'config.toml'), settings);
  writeFileSync(join(home, 'credentials.toml'), secrets);
  const [command, ...args] = cargoCredentials.argv;
  const output = execFileSync(command, args, { env: { PATH: process.env['PATH'] ?? '', HOME: home, CARGO_HOME: home } });
  rmSync(home, { recursive: true });
  return cargoCredentials.parse(output.toString(), INDEX);
}
