import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Definition } from '@granary/contract/ecosystem';
import { blobKey } from '@granary/core/layout';
import type { VerdictBody } from '@granary/core/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { granaryArgv, granaryEnvironment } from '../clients/granary-process.ts';
import { mustRun, run } from '../clients/run.ts';
import { judgedIn } from './judged.ts';
import { type NpmSourceSite, openNpmSourceSite } from './npm-source-site.ts';

const SET_UP_MS = 3_000_000;
const PURL = 'pkg:npm/%40house/lamp@1.0.0';
const folder = mkdtempSync(join(tmpdir(), 'granary-written-'));
/** What the package is made of tells neither its repository nor the colour that it was built in. */
const SCRIPT = `const fs = require('node:fs');\nfs.mkdirSync('dist', { recursive: true });\nfs.writeFileSync('dist/index.js', 'exports.colour = ' + JSON.stringify(process.env.LAMP_COLOUR) + ';\\n');\n`;
const WRITTEN = `releases:
  - versions: ^1
    source: {repository: "https://forge.example/owner/house", tag: "lamp-of-{version}", directory: tools/lamp}
    build: {environment: {LAMP_COLOUR: green}}
`;
let site: NpmSourceSite;
/** By what was written at the time. */
const verdicts = new Map<string, VerdictBody | undefined>();
let why = '';

beforeAll(async () => {
  site = await openNpmSourceSite(folder, [PURL]);
  const work = await site.commit('house', {
    'package.json': { private: true },
    'tools/lamp/package.json': { name: '@house/lamp', version: '1.0.0', license: 'MIT', files: ['dist'], scripts: { prepack: 'node make.js' } },
    'tools/lamp/make.js': SCRIPT,
    'tools/lamp/README.md': '# Lamp\n',
  });
  execFileSync('git', ['tag', 'lamp-of-1.0.0'], { cwd: work });
  execFileSync('git', ['push', '--quiet', 'origin', 'lamp-of-1.0.0'], { cwd: work });
  await site.publish(await site.pack(join(work, 'tools/lamp'), { line: 'LAMP_COLOUR=green npm pack' }));
  await judge('nothing');
  const definitions = join(folder, 'definitions/npm/%40house');
  mkdirSync(definitions, { recursive: true });
  writeFileSync(site.configFile, JSON.stringify({ ...JSON.parse(readFileSync(site.configFile, 'utf8')), definitions: 'definitions' }));
  const write = (text: string) => writeFileSync(join(definitions, 'lamp.yaml'), text);
  write(WRITTEN.replace('green', 'red'));
  await judge('another colour');
  write(WRITTEN);
  await judge('how it was made');
  why = (await mustRun(granaryArgv('why', PURL, '--config', site.configFile), { env: granaryEnvironment() })).said;
  rmSync(join(definitions, 'lamp.yaml'));
  await judge('nothing any more');
}, SET_UP_MS);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function judge(written: string): Promise<void> {
  await mustRun(granaryArgv('up', '--once', '--json', '--listen', '127.0.0.1:0', '--config', site.configFile), { env: granaryEnvironment() });
  verdicts.set(written, judgedIn(join(folder, 'data'), `${PURL}?file_name=lamp-1.0.0.tgz`)?.verdict);
}

function definitionOf(verdict: VerdictBody | undefined): Definition {
  if (verdict?.definition === undefined) throw new TypeError('the verdict stands on no definition');
  return JSON.parse(readFileSync(join(folder, 'data/public', blobKey(verdict.definition)), 'utf8'));
}

describe('a package that says nothing of its repository, nor of how it was built', () => {
  it('is not reproduced as long as nobody writes it down', () => {
    expect(verdicts.get('nothing')).toMatchObject({ verdict: 'unsupported', failureClass: 'repository-not-mirrored' });
  });

  it('is not reproduced by what is not so', () => {
    expect(verdicts.get('another colour')).toMatchObject({ verdict: 'not-reproduced', tier: 'commit-stated' });
  });

  it('is reproduced by what an operator wrote, which raises no tier of its source', () => {
    expect(verdicts.get('how it was made')).toMatchObject({ verdict: 'reproduced', rung: 'identical', tier: 'commit-stated' });
  });

  it('says in its definition whose word that is, with the file that has it', () => {
    const definition = definitionOf(verdicts.get('how it was made'));
    const sha256 = createHash('sha256').update(WRITTEN).digest('hex');
    const from = `what the operator wrote, npm/%40house/lamp.yaml sha256:${sha256}`;

    expect(definition).toMatchObject({
      origin: 'written',
      basis: { file: 'npm/%40house/lamp.yaml', sha256 },
      source: { repository: 'pkg:git/forge.example/owner/house', directory: 'tools/lamp' },
    });
    expect(definition.parameters).toContainEqual({ name: 'variable LAMP_COLOUR', value: 'green', from });
    expect(readFileSync(join(folder, 'data/public', blobKey(definition.basis?.sha256 ?? definition.target.sha256)), 'utf8')).toBe(WRITTEN);
    expect(why).toMatch(/commit-stated, found by written \(refs\/tags\/lamp-of-1\.0\.0\), by what the operator wrote/);
    expect(why).toContain(`written by the operator: npm/%40house/lamp.yaml sha256:${sha256}`);
  });

  it('is no longer reproduced once that is taken back', () => {
    expect(verdicts.get('nothing any more')?.verdict).not.toMatch(/^reproduced/);
  });

  it('is not even started with a definition that is not understood', async () => {
    writeFileSync(join(folder, 'definitions/npm/%40house/lamp.yaml'), 'releases: [{tags: v1}]\n');
    const { code, said } = await run(granaryArgv('up', '--once', '--listen', '127.0.0.1:0', '--config', site.configFile), { env: granaryEnvironment() });
    const doctor = await run(granaryArgv('doctor', '--config', site.configFile), { env: granaryEnvironment() });

    expect(code).toBe(78);
    expect(said).toMatch(/lamp\.yaml:1:\d+: releases\.0: unknown: tags; expected one of versions, source, build/);
    expect(doctor.said).toMatch(/missing +definitions +\S+lamp\.yaml:1:/);
  });
});
