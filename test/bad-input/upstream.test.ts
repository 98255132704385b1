import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Fault } from '../upstream/loopback-upstream.ts';
import { HOSTILE_SDISTS, HOSTILE_WHEELS, type MadeFile, sdist, wheel } from './hostile-archives.ts';
import { ExplainedAt, isPlain, openSite, type Site, verifiedEntries } from './site.ts';

// The first start makes a root filesystem; every other is a process on a machine that may be busy.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

let site: Site;
beforeAll(async () => {
  site = await openSite();
  publish(wheel('good'));
  await site.watch('pkg:pypi/good');
  expect((await site.up()).artifacts).toMatchObject([{ filename: 'good-1.0-py3-none-any.whl' }]);
});
afterAll(async () => await site?.[Symbol.asyncDispose]());

function publish(...files: readonly MadeFile[]): void {
  for (const file of files) site.upstream.publish({ ...file, uploadTime: '2024-06-01T00:00:00Z' });
}

/** A lock, as clients make it: it names files by digest, so that nothing has to be resolved. */
async function lock(...releases: readonly (readonly MadeFile[])[]): Promise<void> {
  const lines = releases.map((files) => {
    const hashes = files.map(({ bytes }) => `--hash=sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    return `${files[0]?.project}==1.0 ${hashes.join(' ')}\n`;
  });
  await writeFile(join(site.folder, 'requirements.txt'), lines.join(''));
}

describe('an upstream that misbehaves', () => {
  const OF_FILES: Readonly<Record<string, readonly [Fault, RegExp]>> = {
    wrongdigest: ['wrong-digest', /^fetch pkg:pypi\/wrongdigest@\S+ from http:\S+: .*sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}$/],
    truncated: ['truncated', /^fetch pkg:pypi\/truncated@\S+ .*the body ended early/],
    endless: ['endless', /^fetch pkg:pypi\/endless@\S+ .*more than \d+ bytes/],
    strayfile: ['redirect-to-private', /^fetch pkg:pypi\/strayfile@\S+ .*10\.1\.2\.3 is not on the public Internet, and the host isn't a configured upstream$/],
  };
  const OF_INDEXES: Readonly<Record<string, readonly [Fault, RegExp]>> = {
    malformed: ['malformed-index', /^fetch malformed: index http:\S+\/simple\/malformed\/: not JSON$/],
    strayindex: ['redirect-to-private', /^fetch strayindex: connect to 10\.1\.2\.3: .* isn't a configured upstream$/],
    endlessindex: ['endless', /^fetch endlessindex: .*more than \d+ bytes/],
  };

  it('leaves a recorded failure for each fault, and everything else goes on', async () => {
    for (const [project, [fault]] of Object.entries(OF_FILES)) site.upstream.fault(wheel(project).fileName, fault);
    for (const [project, [fault]] of Object.entries(OF_INDEXES)) site.upstream.fault(project, fault);
    for (const project of [...Object.keys(OF_FILES), ...Object.keys(OF_INDEXES), 'better']) publish(wheel(project));
    await lock(...[...Object.keys(OF_FILES), 'better'].map((project) => [wheel(project)]));
    await site.watch('pkg:pypi/good', 'requirements.txt', 'pkg:pypi/unheard-of', ...Object.keys(OF_INDEXES).map((project) => `pkg:pypi/${project}`));

    const { artifacts, failures, stderr } = await site.up();

    const errorOf = (subject: string) => failures.filter(({ job }) => job === subject).map(({ error }) => error);
    for (const [project, [, error]] of Object.entries(OF_FILES)) expect(errorOf(wheel(project).fileName)).toEqual([expect.stringMatching(error)]);
    for (const [project, [, error]] of Object.entries(OF_INDEXES)) expect(errorOf(`pkg:pypi/${project}`)).toEqual([expect.stringMatching(error)]);
    expect(errorOf('pkg:pypi/unheard-of')).toEqual([expect.stringContaining('unheard-of was not found in the package registry')]);
    expect(failures).toHaveLength(8);
    expect(verdicts(artifacts)).toMatchObject({
      good: 'source-not-found',
      better: 'source-not-found',
      wrongdigest: expect.stringMatching(/^(pending|error)$/),
    });
    expect(isPlain(stderr)).toBe(true);
    expect((await site.run(['why', 'pkg:pypi/wrongdigest'])).code).toBe(66);
    expect(await verifiedEntries(site)).toMatchObject({ verdict: 2 });
  });

  it('gives what it has once it has mended itself', async () => {
    for (const project of Object.keys(OF_FILES)) site.upstream.fault(wheel(project).fileName, undefined);
    for (const project of Object.keys(OF_INDEXES)) site.upstream.fault(project, undefined);

    const { artifacts, failures } = await site.up();

    expect(failures.map(({ job }) => job)).toEqual(['pkg:pypi/unheard-of']);
    expect(artifacts).toHaveLength(9);
    expect(new Set(Object.values(verdicts(artifacts)))).toEqual(new Set(['source-not-found']));
    expect(await verifiedEntries(site)).toMatchObject({ verdict: 9 });
  });
});

describe('archives that are hostile', () => {
  it('get a verdict with a reason, and nothing gets out of them', async () => {
    const wheels = Object.entries(HOSTILE_WHEELS).map(([name, make]) => [make(name), sdist(name)]);
    const sdists = Object.entries(HOSTILE_SDISTS).map(([name, make]) => [wheel(name), make(name)]);
    const releases = [...wheels, ...sdists, [wheel('honest'), sdist('honest')]];
    publish(...releases.flat());
    await lock(...releases);
    await site.watch('pkg:pypi/good', 'requirements.txt');

    const { artifacts, failures, stderr } = await site.up();

    expect(failures).toEqual([]);
    expect(isPlain(stderr)).toBe(true);
    const unreadable = ['bomb', 'traversal', 'absolute', 'nozip', 'tarbomb', 'tartraversal', 'tarabsolute', 'tarlink', 'tarlyingsize'];
    for (const project of unreadable) expect(verdicts(artifacts)).toHaveProperty(project, 'failed-to-build, malformed-artifact');
    for (const project of ['device', 'duplicate', 'lyingsize']) expect(verdicts(artifacts)).toHaveProperty(project, 'not-reproduced, content-unexplained');
    expect(verdicts(artifacts)).toMatchObject({ good: 'source-not-found', honest: expect.stringMatching(/^reproduced/) });
    expect(existsSync('/tmp/granary-escaped')).toBe(false);
    const reasons = await Promise.all(['traversal', 'bomb'].map(async (project) => (await site.run(['why', `pkg:pypi/${project}`])).stdout));
    expect(reasons[0]).toContain('a step to the folder above');
    expect(reasons[1]).toContain('at most a ratio of 200 is read');
    await verifiedEntries(site);
  });
});

describe('a clock that went back', () => {
  it('by a day takes nothing back: what is new is recorded, and no entry is earlier than the one before it', async () => {
    const before = await verifiedEntries(site);
    publish(wheel('late'));
    await site.watch('pkg:pypi/good', 'requirements.txt', 'pkg:pypi/late');
    const dayBack = pathToFileURL(join(import.meta.dirname, 'a-day-back.ts')).href;

    const { artifacts, failures } = await site.up({ env: { NODE_OPTIONS: `--import ${dayBack}` } });

    expect(failures).toEqual([]);
    expect(verdicts(artifacts)).toMatchObject({ late: 'source-not-found', good: 'source-not-found' });
    const [explained] = ExplainedAt.parse(JSON.parse((await site.run(['why', 'pkg:pypi/late', '--json'])).stdout)).artifacts;
    expect(Date.parse(explained?.stored.at ?? '')).toBeGreaterThan(Date.now() - 3_600_000);
    const after = await verifiedEntries(site);
    expect(after['stored']).toBe((before['stored'] ?? 0) + 1);
    expect((await site.up()).failures).toEqual([]);
  });
});

describe('an upstream that is gone', () => {
  it('takes nothing with it', async () => {
    const before = (await site.up()).artifacts;
    await site.upstream.close();

    const { artifacts, stderr } = await site.up();

    expect(artifacts).toEqual(before);
    expect(isPlain(stderr)).toBe(true);
    await verifiedEntries(site);
  });
});

/** Of wheels, by project. */
function verdicts(artifacts: Awaited<ReturnType<Site['up']>>['artifacts']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    artifacts
      .filter(({ filename }) => filename.endsWith('.whl'))
      .map(({ filename, verdict, failureClass }) => [
        filename.split('-', 1)[0] ?? filename,
        failureClass === null || verdict === 'source-not-found' ? verdict : `${verdict}, ${failureClass}`,
      ]),
  );
}
