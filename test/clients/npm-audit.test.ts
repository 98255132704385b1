import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandFolder, type JsClient } from '../machine/js-clients.ts';
import { clientSuite } from './client-suite.ts';
import { granaryArgv, granaryEnvironment } from './granary-process.ts';
import { type Island, openIsland, whyNoIsland } from './island.ts';
import { succeeded } from './island-clients.ts';
import { type JsHome, makeJsHome, settingsFor } from './js-home.ts';
import { makeNpmSite, type NpmSite } from './npm-site.ts';
import { mustRun } from './run.ts';

const SET_UP_MS = 600_000;
const TEST_MS = 180_000;
/** The locks of the site have tallow 0.9.1, wick 1.1.0 through lantern, and @lamp/oil 1.0.0. */
const NOTHING_KNOWN = 'name a folder of OSV files in granary.yaml, advisories: {folder: PATH}';
/** As they stand in docs/clients.md. */
const PNPM_FOR_YARN_1 = 'pnpm import && pnpm audit';
const PNPM_FOR_NPM = 'pnpm import && pnpm audit signatures';

let folder = '';
let site: NpmSite;
let knowing: Island;
let silent: Island;
const { isSkipped, title } = clientSuite({ name: 'npm-audit', reason: whyNoIsland(), timeoutMs: SET_UP_MS }, async (inFolder, opened) => {
  folder = inFolder;
  site = await makeNpmSite(folder);
  opened.defer(() => site.upstream.close());
  await mustRun(granaryArgv('up', '--once', '--config', site.configFile, '--listen', '127.0.0.1:0'), { env: granaryEnvironment() });
  const configFile = join(folder, 'audited.yaml');
  await writeFile(configFile, JSON.stringify({ data: 'data', advisories: { folder: 'osv' } }));
  await writeAdvisories(join(folder, 'osv'));
  knowing = opened.use(await openIsland(site.dataDir, '--config', configFile));
  silent = opened.use(await openIsland(site.dataDir));
});

describe.skipIf(isSkipped)(title('with every upstream unreachable, on empty caches, a project is audited'), () => {
  describe.each(['npm11', 'npm12'] as const)('by %s', (client) => {
    it(
      'with exit code and report as by upstream',
      async () => {
        const home = await homeOf(client);
        const project = home.take(site.projects.npm11);

        const told = await home.shell('npm audit', project);
        const { code, said } = await home.shell('npm audit --json', project);
        const { vulnerabilities, metadata } = JSON.parse(said);

        expect([told.code, told.said]).toEqual([1, expect.stringMatching(/tallow {2}0\.9\.1\nSeverity: critical\nMalicious code in tallow/)]);
        expect([code, metadata.vulnerabilities]).toEqual([1, { info: 0, low: 0, moderate: 2, high: 0, critical: 1, total: 3 }]);
        expect(Object.keys(vulnerabilities)).toEqual(['lantern', 'tallow', 'wick']);
        expect(vulnerabilities.wick.via).toMatchObject([
          {
            title: 'Burns too fast',
            url: 'https://advisories.example/GHSA-wick-wick-wick',
            severity: 'moderate',
            range: '<1.2.0',
            cwe: ['CWE-79'],
            cvss: { score: 6.1 },
          },
        ]);
      },
      TEST_MS,
    );

    it(
      'with good news where nothing is known of what it has',
      async () => {
        const home = await homeOf(client);
        const project = home.take(site.projects.npm11);
        await writeFile(
          join(project, 'package.json'),
          JSON.stringify({ name: 'lamp', version: '1.0.0', dependencies: { '@lamp/oil': '^1.0.0', ember: '^1.0.0' } }),
        );

        succeeded(await home.shell('rm package-lock.json && npm install --package-lock-only', project), 'npm install --package-lock-only');
        const { code, said } = await home.shell('npm audit', project);

        expect([code, said.trim()]).toEqual([0, 'found 0 vulnerabilities']);
      },
      TEST_MS,
    );

    it(
      'with an error that names the setting where none is configured, while installs go on',
      async () => {
        const home = await homeOf(client, silent);
        const project = home.take(site.projects.npm11);

        const audit = await home.shell('npm audit', project);
        const json = await home.shell('npm audit --json', project);
        const install = await home.shell('npm ci --replace-registry-host always', project);

        expect([audit.code, audit.said]).toEqual([1, expect.stringContaining(NOTHING_KNOWN)]);
        expect([json.code, json.said]).toEqual([1, expect.stringContaining(NOTHING_KNOWN)]);
        expect(audit.said).not.toContain('found 0');
        expect([install.code, install.said]).toEqual([0, expect.stringMatching(/^\s*added 6 packages in \d+m?s\s*$/)]);
      },
      TEST_MS,
    );
  });

  it(
    'by pnpm, which asks no second time where none is configured',
    async () => {
      const [home, mute] = [await homeOf('pnpm'), await homeOf('pnpm', silent)];

      const { code, said } = await home.shell('pnpm audit --json', home.take(site.projects.pnpm));
      const refused = await mute.shell('pnpm audit', mute.take(site.projects.pnpm));

      const { advisories, metadata } = JSON.parse(said);
      expect([code, metadata.vulnerabilities]).toEqual([1, { info: 0, low: 0, moderate: 1, high: 0, critical: 1 }]);
      expect(Object.values(advisories)).toEqual(
        expect.arrayContaining([expect.objectContaining({ module_name: 'wick', github_advisory_id: 'GHSA-wick-wick-wick', severity: 'moderate' })]),
      );
      expect([refused.code, refused.said]).toEqual([1, expect.stringContaining(NOTHING_KNOWN)]);
      expect(refused.said).not.toContain('Will retry');
    },
    TEST_MS,
  );

  it(
    'by yarn 4',
    async () => {
      const [home, mute] = [await homeOf('yarn4'), await homeOf('yarn4', silent)];

      const { code, said } = await home.shell('yarn npm audit --all --recursive --json', home.take(site.projects.yarn4));
      const refused = await mute.shell('yarn npm audit --all --recursive', mute.take(site.projects.yarn4));

      const found = said
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect([code, found.map(({ value, children }) => [value, children.Severity, children['Vulnerable Versions']])]).toEqual([
        1,
        [
          ['tallow', 'critical', '0.9.1'],
          ['wick', 'moderate', '<1.2.0'],
        ],
      ]);
      expect([refused.code, refused.said]).toEqual([1, expect.stringContaining(NOTHING_KNOWN)]);
    },
    TEST_MS,
  );

  it(
    'not by yarn 1, which asks an address of its own; pnpm does it from its lock, as docs/clients.md says',
    async () => {
      const [yarn, pnpm] = [await homeOf('yarn1'), await homeOf('pnpm')];

      const asked = await yarn.shell('yarn audit', yarn.take(site.projects.yarn1));
      const { code, said } = await pnpm.shell(PNPM_FOR_YARN_1, pnpm.take(site.projects.yarn1));

      expect([asked.code, asked.said]).toEqual([1, expect.stringContaining('getaddrinfo')]);
      expect([code, said]).toEqual([1, expect.stringMatching(/Malicious code in tallow[\s\S]*Burns too fast/)]);
      expect(await documented()).toContain(`\n${PNPM_FOR_YARN_1}\n`);
    },
    TEST_MS,
  );
});

describe.skipIf(isSkipped)(title('the signatures of what is installed are checked with every upstream unreachable'), () => {
  it(
    'by pnpm, by the keys that the mirror has',
    async () => {
      const home = await homeOf('pnpm');
      const project = home.take(site.projects.pnpm);

      succeeded(await home.shell('pnpm install --frozen-lockfile', project), 'pnpm install');
      const { code, said } = await home.shell('pnpm audit signatures', project);

      expect([code, said]).toEqual([0, expect.stringContaining('7 packages have verified registry signatures')]);
    },
    TEST_MS,
  );

  it(
    'by pnpm for a project of npm, as docs/clients.md says',
    async () => {
      const home = await homeOf('pnpm');

      const { code, said } = await home.shell(PNPM_FOR_NPM, home.take(site.projects.npm11));

      expect([code, said]).toEqual([0, expect.stringContaining('have verified registry signatures')]);
      expect(await documented()).toContain(`\n${PNPM_FOR_NPM}\n`);
    },
    TEST_MS,
  );

  it.each(['npm11', 'npm12'] as const)(
    'not by %s, which asks for a root of trust elsewhere before anything else',
    async (client) => {
      const home = await homeOf(client);
      const project = home.take(site.projects.npm11);
      succeeded(await home.shell('npm ci --replace-registry-host always', project), 'npm ci');

      const { code, said } = await home.shell('npm audit signatures', project);

      expect([code, said]).toEqual([1, expect.stringMatching(/getaddrinfo EAI_AGAIN tuf-/)]);
      expect(said).not.toContain(new URL(knowing.address).host);
    },
    TEST_MS,
  );

  it.each(['npm11', 'npm12'] as const)(
    'by the library of %s, which is what remains once it has its root of trust',
    async (client) => {
      const home = await homeOf(client);
      const script = join(home.folder, 'signatures.cjs');
      await writeFile(script, SIGNATURES);
      const library = join(await commandFolder(client), '../../node_modules', client, 'node_modules/pacote');

      const { code, said } = await home.shell(`node ${script} ${library} ${knowing.address}/npm/ @lamp/oil@1.0.0`);

      expect([code, said]).toEqual([0, '@lamp/oil@1.0.0 1\nEINTEGRITYSIGNATURE\n']);
    },
    TEST_MS,
  );
});

/** What `npm audit signatures` does with each package, but for where the keys come from; then the same with a key of somebody else. */
const SIGNATURES = `
const { createHash, generateKeyPairSync } = require('node:crypto');
const [, , library, registry, spec] = process.argv;
const pacote = require(library);
const check = (keys) => {
  const held = keys.map(({ keyid, key }) => ({ keyid, expires: null, pemkey: '-----BEGIN PUBLIC KEY-----\\n' + key + '\\n-----END PUBLIC KEY-----' }));
  return pacote.manifest(spec, { registry, verifySignatures: true, [registry.replace('http:', '') + ':_keys']: held });
};
(async () => {
  const { keys } = await (await fetch(registry + '-/npm/v1/keys')).json();
  const { _id, _signatures } = await check(keys);
  console.log(_id, _signatures.length);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  await check(keys.map((key) => ({ ...key, key: other }))).catch((error) => console.log(error.code));
})();
`;

async function documented(): Promise<string> {
  return await readFile(join(import.meta.dirname, '../../docs/clients.md'), 'utf8');
}

async function homeOf(client: JsClient, island: Island = knowing): Promise<JsHome> {
  return await makeJsHome(folder, { client, runner: island.run, settings: settingsFor(client, `${island.address}/npm/`) });
}

/** As an export of the OSV database has them. */
async function writeAdvisories(osv: string): Promise<void> {
  await mkdir(osv);
  const write = async (id: string, name: string, { ranges, versions, ...facts }: Readonly<Record<string, unknown>>) => {
    const affected = [{ package: { ecosystem: 'npm', name }, ranges, versions }];
    await writeFile(join(osv, `${id}.json`), JSON.stringify({ id, modified: '2024-01-01T00:00:00Z', affected, ...facts }));
  };
  const until = (fixed: string) => [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }];
  await write('GHSA-wick-wick-wick', 'wick', {
    ranges: until('1.2.0'),
    summary: 'Burns too fast',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N' }],
    references: [{ type: 'WEB', url: 'https://advisories.example/GHSA-wick-wick-wick' }],
    database_specific: { severity: 'MODERATE', cwe_ids: ['CWE-79'] },
  });
  await write('MAL-2024-1', 'tallow', { versions: ['0.9.1'], summary: 'Malicious code in tallow' });
  await write('GHSA-oill-oill-oill', '@lamp/oil', { ranges: until('1.0.0'), summary: 'Mended long ago' });
  await write('GHSA-embe-embe-embe', 'ember', { ranges: until('9.0.0'), summary: 'Never true', withdrawn: '2024-02-01T00:00:00Z' });
}
