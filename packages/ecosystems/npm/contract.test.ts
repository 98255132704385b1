import { createHash } from 'node:crypto';
import { ecosystemContract } from '@granary/contract/suites';
import { describe } from 'vitest';
import { npm } from './index.ts';
import { packagePurl } from './names.ts';

const NAME = '@sample/box';
const integrity = (version: string) => `sha512-${createHash('sha512').update(version).digest('base64')}`;
const tarball = (version: string) => `https://registry.example/base/@sample/box/-/box-${version}.tgz`;
const versions = ['1.0.0', '1.1.0'].map((version) => ({ name: NAME, version, dist: { tarball: tarball(version), integrity: integrity(version) } }));
const document = {
  name: NAME,
  'dist-tags': { latest: '1.1.0' },
  versions: Object.fromEntries(versions.map((manifest) => [manifest.version, manifest])),
  time: { created: '2024-01-01T00:00:00Z', '1.0.0': '2024-01-01T00:00:00Z', '1.1.0': '2024-02-01T00:00:00Z' },
};

const LOCKFILES = {
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: { 'node_modules/@sample/box': { version: '1.0.0', resolved: tarball('1.0.0'), integrity: integrity('1.0.0') } },
  }),
  'npm-shrinkwrap.json': JSON.stringify({
    lockfileVersion: 1,
    dependencies: { [NAME]: { version: '1.0.0', resolved: tarball('1.0.0'), integrity: integrity('1.0.0'), dependencies: {} } },
  }),
  'pnpm-lock.yaml': `lockfileVersion: '9.0'\npackages:\n  '${NAME}@1.0.0':\n    resolution: {integrity: ${integrity('1.0.0')}}\n`,
  'yarn.lock': `# yarn lockfile v1\n\n"${NAME}@^1.0.0":\n  version "1.0.0"\n  resolved "${tarball('1.0.0')}#${'a'.repeat(40)}"\n  integrity ${integrity('1.0.0')}\n`,
  'berry/yarn.lock': `__metadata:\n  version: 8\n\n"${NAME}@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "${NAME}@npm:1.0.0"\n  checksum: 10c0/aa\n`,
};

describe.each(Object.entries(LOCKFILES))('npm with %s', (fileName, lock) => {
  ecosystemContract({
    ecosystem: npm,
    document: { bytes: new TextEncoder().encode(JSON.stringify(document)), contentType: 'application/json', package: packagePurl(NAME) },
    lockfile: { fileName, bytes: new TextEncoder().encode(lock) },
  });
});
