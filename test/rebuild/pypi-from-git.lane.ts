import { checkGitHost } from '@granary/driver-git-native';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clientSuite } from '../clients/client-suite.ts';
import { granaryArgv, granaryEnvironment } from '../clients/granary-process.ts';
import { whyNoIsland } from '../clients/island.ts';
import { mustRun } from '../clients/run.ts';
import { openPypiSite, type PypiSite } from './pypi-site.ts';

const SET_UP_MS = 900_000;
const TEST_MS = 120_000;
const REPRODUCED = /^reproduced(-normalized)?$/;

const Outcome = z.object({
  filename: z.string(),
  verdict: z.string(),
  rung: z.string().nullable(),
  sourceTier: z.string().nullable(),
  failureClass: z.string().nullable(),
  findings: z.array(z.string()),
});
const Table = z.object({ artifacts: z.array(Outcome) });

type Outcomes = ReadonlyMap<string, z.output<typeof Outcome>>;

let site: PypiSite;
const host = await checkGitHost();
const reason = host.ok ? whyNoIsland() : host.why;
const suite = clientSuite({ name: 'pypi-from-git', reason, timeoutMs: SET_UP_MS }, async (folder, opened) => {
  site = opened.use(await openPypiSite(folder));
});

const wheel = (name: string) => `${name}-1.0.0-py3-none-any.whl`;
const sdist = (name: string) => `${name}-1.0.0.tar.gz`;

describe.skipIf(suite.isSkipped)(suite.title('while no repository is held'), () => {
  let outcomes: Outcomes;
  beforeAll(async () => {
    outcomes = await up(site.withoutRepositories);
  }, SET_UP_MS);

  it.each(['lamp', 'oven', 'wick', 'ember', 'tallow'])('%s is what its source archive gives, poisoned or not', (name) => {
    expect(outcomes.get(wheel(name))).toMatchObject({ verdict: expect.stringMatching(REPRODUCED), sourceTier: 'publisher-archive', findings: [] });
    expect(outcomes.get(sdist(name))).toMatchObject({ verdict: 'unsupported', failureClass: 'not-a-wheel', findings: [] });
  });
});

describe.skipIf(suite.isSkipped)(suite.title('once the repositories are held that packages name'), () => {
  let outcomes: Outcomes;
  beforeAll(async () => {
    outcomes = await up(site.withRepositories);
  }, SET_UP_MS);

  it.each(['lamp', 'oven', 'wick'])('wheel and source archive of %s are made from the commit that its tag names', (name) => {
    for (const file of [wheel(name), sdist(name)]) {
      const verdict = expect.stringMatching(REPRODUCED);
      expect(outcomes.get(file)).toMatchObject({ verdict, sourceTier: 'commit-tagged', failureClass: null, findings: [] });
    }
  });

  it('they are the same byte by byte where their publisher stated a time', () => {
    for (const file of [wheel('lamp'), sdist('lamp'), wheel('oven'), sdist('oven')]) expect(outcomes.get(file)).toMatchObject({ rung: 'identical' });
  });

  it.each([
    ['ember', 'extra-upstream-files'],
    ['tallow', 'content-unexplained'],
  ])(
    'what stands in the archives of %s and in no commit is found, though the one still gives the other',
    async (name, failureClass) => {
      const findings = ['commit-lacks-files'];

      expect(outcomes.get(wheel(name))).toMatchObject({ verdict: expect.stringMatching(REPRODUCED), sourceTier: 'publisher-archive', findings });
      expect(outcomes.get(sdist(name))).toMatchObject({ verdict: 'not-reproduced', sourceTier: 'commit-tagged', failureClass, findings });
      expect((await why(name)).match(/^ {2}SECURITY {2}commit-lacks-files: /gm)).toHaveLength(2);
    },
    TEST_MS,
  );

  it(
    'nothing is marked that tools write',
    async () => {
      for (const name of ['lamp', 'oven', 'wick']) expect(await why(name)).not.toContain('SECURITY');
    },
    TEST_MS,
  );
});

async function up(configFile: string): Promise<Outcomes> {
  const { said } = await mustRun(granaryArgv('up', '--once', '--config', configFile, '--listen', '127.0.0.1:0', '--json'), { env: granaryEnvironment() });
  const line = said.split('\n').findLast((text) => text.startsWith('{"artifacts":')) ?? '';
  return new Map(Table.parse(JSON.parse(line)).artifacts.map((outcome) => [outcome.filename, outcome]));
}

async function why(name: string): Promise<string> {
  return (await mustRun(granaryArgv('why', `pkg:pypi/${name}@1.0.0`, '--config', site.withRepositories), { env: granaryEnvironment() })).said;
}
