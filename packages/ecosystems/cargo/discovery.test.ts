import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cargoDiscovery } from './discovery.ts';

const [command, ...args] = cargoDiscovery.argv;
const installed = isInstalled();

it.skipIf(!installed)(`asks this machine's cargo, with its own settings${installed ? '' : ' (skipped: no cargo here)'}`, () => {
  const home = mkdtempSync(join(tmpdir(), 'granary-cargo-home-'));
  const settings = '[source.crates-io]\nreplace-with = "own"\n[source.own]\nregistry = "sparse+http://127.0.0.1:9/some/index/"\n[net]\noffline = true\n';
  writeFileSync(join(home, 'config.toml'), settings);

  const output = execFileSync(command, args, { cwd: home, env: { ...process.env, CARGO_HOME: home }, encoding: 'utf8' });
  rmSync(home, { recursive: true });

  expect(cargoDiscovery.parse(output)).toEqual({ index: 'http://127.0.0.1:9/some/index/', files: [] });
});

it('learns nothing from a cargo that asks no sparse index', () => {
  expect(cargoDiscovery.parse('error: failed to read root of directory source: /srv/vendor')).toBeUndefined();
  expect(cargoDiscovery.parse('sh: 1: cargo: not found')).toBeUndefined();
});

function isInstalled(): boolean {
  try {
    execFileSync('cargo', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
