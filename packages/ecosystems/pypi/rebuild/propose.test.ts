import { gzipSync } from 'node:zlib';
import type { Attempt, BuildProposal, Proposed } from '@granary/contract/ecosystem';
import type { Comparison, Difference } from '@granary/core/compare';
import { sha256, toInstant } from '@granary/core/model';
import { tarBytes, zipBytes } from '@granary/core/test';
import { describe, expect, it } from 'vitest';
import { propose } from './propose.ts';
import { commitBytes, commitSubject, METADATA, PKG_INFO, SECONDS_2023, type SmallWheel, sdistBytes, subjectOf, wheelBytes } from './test/small-project.ts';

const PLAIN_SETUP = { ...PKG_INFO, 'setup.py': 'from setuptools import setup\nsetup()\n' };
const OLD: SmallWheel = { generator: 'bdist_wheel (0.37.1)', metadata: METADATA };

function next(wheel: SmallWheel, files: Readonly<Record<string, string>>, history: readonly Attempt[] = [], fileName?: string): Promise<Proposed> {
  return propose(subjectOf(wheelBytes(wheel), sdistBytes(files), fileName), history);
}
async function proposal(...request: Parameters<typeof next>): Promise<BuildProposal> {
  const proposed = await next(...request);
  if (proposed.type !== 'build') throw new Error(`exhausted: ${proposed.detail}`);
  return proposed.proposal;
}
function residueOf(...residue: readonly Difference[]): Comparison {
  return {
    upstream: sha256('a'),
    rebuild: sha256('b'),
    rung: residue.length === 0 ? 'identical-files' : 'none',
    ruleset: sha256('rules'),
    needed: [],
    residue,
    residueOmitted: 0,
    findings: [],
  };
}
function compared(of: BuildProposal, ...residue: readonly Difference[]): Attempt {
  return { proposal: of, outcome: { type: 'compared', comparison: residueOf(...residue) } };
}
const differs = (path: string, diff?: string): Difference => ({ path, kind: 'content', ...(diff === undefined ? {} : { diff }) });

describe('the first proposal', () => {
  it('pins what Generator names, and clamps the rest to a second after publication', async () => {
    const files = { ...PKG_INFO, 'pyproject.toml': '[build-system]\nrequires = ["flit_core>=3,<4", "plugin"]\nbuild-backend = "flit_core.buildapi"\n' };

    const { requirements, before, parameters, settings } = await proposal({}, files);

    expect(requirements).toEqual(['flit-core==3.9.0', 'plugin']);
    expect(before).toBe('2023-05-06T07:10:01.000Z');
    expect(parameters).toContainEqual({ name: 'flit-core', value: '3.9.0', from: 'WHEEL Generator' });
    expect(settings).toMatchObject({ frontEnd: 'pep517', backend: 'flit_core.buildapi', pretendVersion: '' });
  });

  it('calls setup.py where the source declares no build system', async () => {
    const { requirements, settings } = await proposal(OLD, PLAIN_SETUP);

    expect(requirements).toEqual(['setuptools>=62.2,<70.1', 'wheel==0.37.1']);
    expect(settings).toMatchObject({ frontEnd: 'setup.py', setupArguments: ['bdist_wheel'] });
  });

  it('goes the way that reproduced another release, with the tools of its own, and the usual way when that fails', async () => {
    const usual = await proposal(OLD, PLAIN_SETUP);
    const other = await proposal(OLD, PLAIN_SETUP, [compared(usual, differs('demo/__init__.py'))]);
    const subject = { ...subjectOf(wheelBytes(OLD), sdistBytes(PLAIN_SETUP)), precedent: { ...other, requirements: ['setuptools==50'] } };
    const ask = async (history: readonly Attempt[]) => {
      const proposed = await propose(subject, history);
      return proposed.type === 'build' ? proposed.proposal : undefined;
    };

    const first = await ask([]);

    expect(first).toEqual(other);
    expect(await ask([{ proposal: other, outcome: { type: 'failed', failureClass: 'build-failed', log: '' } }])).toEqual(usual);
    expect(await proposal(OLD, PLAIN_SETUP)).toEqual(usual);
  });

  it('asks for the tag that neither Python 3 nor setup.cfg gives', async () => {
    const universal = await proposal(OLD, PLAIN_SETUP, [], 'demo-1.0-py2.py3-none-any.whl');
    const configured = await proposal(OLD, { ...PLAIN_SETUP, 'setup.cfg': '[bdist_wheel]\nuniversal=1\n' }, [], 'demo-1.0-py2.py3-none-any.whl');

    expect(universal.settings['setupArguments']).toEqual(['bdist_wheel', '--universal']);
    expect(universal.parameters.map(({ from }) => from)).toContain('tag in the file name');
    expect(configured.settings['setupArguments']).toEqual(['bdist_wheel']);
  });

  it("leaves a backend's own tree out when another version of it made the wheel", async () => {
    const pyproject = '[build-system]\nrequires = []\nbuild-backend = "demo.api"\nbackend-path = ["src"]\n';
    const own = { ...PKG_INFO, 'pyproject.toml': pyproject.replace('[]', '["demo"]') };

    expect((await proposal({ generator: 'demo 0.9' }, own)).settings['backendPath']).toEqual([]);
    expect((await proposal({ generator: 'demo 1.0' }, own)).settings['backendPath']).toEqual(['src']);
    expect((await proposal({ generator: 'other 2.0' }, own)).settings['backendPath']).toEqual(['src']);
  });

  it('pretends a version only where the source archive names none', async () => {
    expect((await proposal(OLD, { 'setup.py': '' })).settings['pretendVersion']).toBe('1.0');
  });

  it('is not made for a file that is no wheel', async () => {
    const subject = { ...subjectOf(Buffer.from('not a zip'), sdistBytes(PLAIN_SETUP)) };

    expect(await propose(subject, [])).toMatchObject({ type: 'exhausted', failureClass: 'malformed-artifact' });
  });
});

describe('a further proposal', () => {
  it('is not made once a rung holds', async () => {
    const first = await proposal(OLD, PLAIN_SETUP);

    expect(await next(OLD, PLAIN_SETUP, [compared(first)])).toEqual({ type: 'exhausted' });
  });

  it('tries another setuptools when .dist-info differs, and every one only once', async () => {
    const history: Attempt[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const proposed = await next(OLD, PLAIN_SETUP, history);
      if (proposed.type === 'exhausted') break;
      history.push(compared(proposed.proposal, differs('demo-1.0.dist-info/METADATA', '-a\n+b\n')));
    }
    const tried = history.map((attempt) => JSON.stringify([attempt.proposal.requirements, attempt.proposal.settings]));

    expect(history[1]?.proposal.requirements[0]).not.toBe(history[0]?.proposal.requirements[0]);
    expect(new Set(tried).size).toBe(tried.length);
    expect(history.length).toBeLessThan(13);
  });

  it('calls the build another way when files of the project differ', async () => {
    const first = await proposal(OLD, PLAIN_SETUP);

    const second = await proposal(OLD, PLAIN_SETUP, [compared(first, differs('demo/__init__.py'))]);

    expect(second.settings).toMatchObject({ frontEnd: 'pep517' });
    expect(second.requirements).toEqual(first.requirements);
  });

  it('sorts requirements, then tries hash seeds, when lines stand in another order', async () => {
    const reordered = differs('demo-1.0.dist-info/METADATA', '--- a\n+++ b\n-Requires-Dist: a (<2,>=1)\n+Requires-Dist: a (>=1,<2)\n');
    const first = compared(await proposal(OLD, PLAIN_SETUP), reordered);
    const second = compared(await proposal(OLD, PLAIN_SETUP, [first]), reordered);

    const third = await proposal(OLD, PLAIN_SETUP, [first, second]);

    expect(second.proposal.settings['sortedRequires']).toBe(true);
    expect(third.settings).toMatchObject({ sortedRequires: false, hashSeed: '1' });
    expect(third.parameters).toContainEqual({ name: 'PYTHONHASHSEED', value: '1', from: 'order of lines in METADATA' });
  });

  it('leaves extension modules out when the rebuild has some and upstream none', async () => {
    const first = compared(await proposal(OLD, PLAIN_SETUP), { path: 'fast.cpython-311-x86_64-linux-gnu.so', kind: 'only-rebuild' });

    expect((await proposal(OLD, PLAIN_SETUP, [first])).settings['extensions']).toBe(false);
  });

  it('is not made for files that the source archive does not hold', async () => {
    const first = await proposal(OLD, PLAIN_SETUP);
    const missing: Difference = { path: 'demo/py.typed', kind: 'only-upstream' };
    const generated: Difference = { path: 'demo-1.0.dist-info/namespace_packages.txt', kind: 'only-upstream' };

    expect(await next(OLD, PLAIN_SETUP, [compared(first, missing)])).toEqual({ type: 'exhausted' });
    expect(await next(OLD, PLAIN_SETUP, [compared(first, missing, generated)])).toMatchObject({ type: 'build' });
    expect(await next(OLD, { ...PLAIN_SETUP, 'demo/py.typed': '' }, [compared(first, missing)])).toMatchObject({ type: 'build' });
  });

  it('puts folders back that only the top_level.txt of the source names, when that of the wheel differs', async () => {
    const files = { ...PLAIN_SETUP, 'demo/__init__.py': '', 'demo.egg-info/top_level.txt': 'demo\nscripts\n' };
    const first = compared(await proposal(OLD, files), differs('demo-1.0.dist-info/top_level.txt'));

    expect(first.proposal.settings['emptyFolders']).toEqual([]);
    expect((await proposal(OLD, files, [first])).settings['emptyFolders']).toEqual(['scripts']);
  });

  it('gives the build what it asked for, and no second time', async () => {
    const first = await proposal(OLD, PLAIN_SETUP);

    const second = await proposal(OLD, PLAIN_SETUP, [{ proposal: first, outcome: { type: 'needs', requirements: ['pbr'] } }]);

    expect(second.requirements).toEqual([...first.requirements, 'pbr']);
    expect(second.settings['asked']).toEqual(['pbr']);
  });

  it('falls back to a release of the same series when the very one is gone', async () => {
    const history: Attempt[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const proposed = await next(OLD, PLAIN_SETUP, history);
      if (proposed.type === 'exhausted') break;
      history.push({ proposal: proposed.proposal, outcome: { type: 'unresolvable', why: 'unavailable', detail: 'no such version' } });
    }

    expect(history.flatMap((attempt) => attempt.proposal.requirements)).toContain('wheel>=0.37,<0.38');
  });
});

describe('a proposal from a commit', () => {
  const FLIT = '[build-system]\nrequires = ["flit_core>=3,<4"]\nbuild-backend = "flit_core.buildapi"\n';
  const PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n';
  const DYNAMIC = '[project]\nname = "demo"\ndynamic = ["version"]\n';
  const WHEEL = 'demo-1.0-py3-none-any.whl';
  const SDIST = 'demo-1.0.tar.gz';
  const HATCHED = Date.UTC(2020, 1, 2) / 1000;
  const ZIP = zipBytes([{ name: 'demo-1.0/PKG-INFO', data: METADATA }]);
  const LOOKED_AT: Attempt = {
    proposal: { method: 'source-files', requirements: [], before: toInstant(0), settings: {}, parameters: [], assists: [], notes: [] },
    outcome: { type: 'compared', comparison: residueOf({ path: 'demo-1.0.dist-info/METADATA', kind: 'only-upstream' }) },
  };
  const sdist = (files: Readonly<Record<string, string>> = PKG_INFO) => sdistBytes(files);
  async function from(
    files: Readonly<Record<string, string>>,
    fileName: string,
    more: { history?: readonly Attempt[]; published?: Buffer; directory?: string } = {},
  ) {
    const { history = [], published = fileName === WHEEL ? wheelBytes() : sdist(), directory } = more;
    return await propose(commitSubject(published, commitBytes(files), { fileName, ...(directory === undefined ? {} : { directory }) }), [
      LOOKED_AT,
      ...history,
    ]);
  }
  async function built(...request: Parameters<typeof from>): Promise<BuildProposal> {
    const proposed = await from(...request);
    if (proposed.type !== 'build') throw new Error(`exhausted: ${proposed.detail}`);
    return proposed.proposal;
  }

  it('builds a wheel with what made it, in the folder of its package', async () => {
    const proposed = await built({ 'libs/demo/pyproject.toml': PROJECT + FLIT }, WHEEL, { directory: 'libs/demo' });

    expect(proposed.requirements).toEqual(['flit-core==3.9.0']);
    expect(proposed.settings).toMatchObject({ root: 'libs/demo', backend: 'flit_core.buildapi', pretendVersion: '', timeZone: 'UTC' });
    expect(proposed.method).toBeUndefined();
  });

  it('leaves the own tree of a backend out, too, when another version of it made the wheel', async () => {
    const own = `${PROJECT}[build-system]\nrequires = []\nbuild-backend = "demo.api"\nbackend-path = ["src"]\n`.replace('[]', '["demo"]');

    expect((await built({ 'pyproject.toml': own }, WHEEL, { published: wheelBytes({ generator: 'demo 0.9' }) })).settings['backendPath']).toEqual([]);
    expect((await built({ 'pyproject.toml': own }, WHEEL, { published: wheelBytes({ generator: 'demo 1.0' }) })).settings['backendPath']).toEqual(['src']);
  });

  it('goes by way of the source archive when files differ, which no archive does', async () => {
    const files = { 'pyproject.toml': PROJECT + FLIT };
    const fewer: Difference = { path: 'demo/excluded.pyi', kind: 'only-rebuild' };
    const first = await built(files, WHEEL);

    const second = await built(files, WHEEL, { history: [compared(first, fewer)] });

    expect([first, second].map(({ settings }) => settings['through'])).toEqual(['tree', 'sdist']);
    expect(second.notes).toContain('by way of the source archive that the same tools make');
    const ofArchive = await proposal({}, { ...PKG_INFO, ...files });
    expect(await next({}, { ...PKG_INFO, ...files }, [compared(ofArchive, fewer)])).not.toMatchObject({ proposal: { settings: { through: 'sdist' } } });
  });

  it('builds a source archive with what its project asks for', async () => {
    const proposed = await built({ 'pyproject.toml': PROJECT + FLIT }, SDIST);

    expect(proposed.requirements).toEqual(['flit_core>=3,<4']);
    expect(proposed.settings).toMatchObject({ root: '', frontEnd: 'pep517', backend: 'flit_core.buildapi', epoch: String(SECONDS_2023) });
    expect(proposed.parameters).toEqual([{ name: 'SOURCE_DATE_EPOCH', value: String(SECONDS_2023), from: 'the one time stamp of all entries' }]);
  });

  it.each([
    { what: 'files and the compression have one time', written: 0, read: SECONDS_2023, packed: SECONDS_2023, epoch: String(SECONDS_2023) },
    { what: 'files have one of their own, as a checkout has', written: 0, read: SECONDS_2023, packed: SECONDS_2023 + 1, epoch: '' },
    { what: 'files have several', written: SECONDS_2023, read: SECONDS_2023 + 1, packed: 0, epoch: '' },
    { what: 'tools give that one by themselves', written: HATCHED, read: HATCHED, packed: HATCHED, epoch: '' },
    { what: 'there are none', written: 0, read: 0, packed: 0, epoch: '' },
  ])('tells tools a time where the publisher did, and else when the archive was packed: $what', async ({ written, read, packed, epoch }) => {
    const published = gzipSync(
      tarBytes([
        { name: 'demo-1.0/PKG-INFO', data: METADATA, mtime: written },
        { name: 'demo-1.0/setup.py', mtime: read },
      ]),
    );
    // RFC 1952 2.3: MTIME.
    published.writeUInt32LE(packed, 4);

    const clock = epoch !== '' || read === packed ? '' : String(packed || written);
    expect((await built({ 'setup.py': '' }, SDIST, { published })).settings).toMatchObject({ epoch, clock });
  });

  it('says the version where only git would know it', async () => {
    const proposed = await built({ 'pyproject.toml': DYNAMIC + FLIT }, SDIST);

    expect(proposed.settings['pretendVersion']).toBe('1.0');
    expect(proposed.parameters).toContainEqual({ name: 'version', value: '1.0', from: 'file name' });
  });

  it('calls setup.py where nothing is declared, and makes a zip by it', async () => {
    const plain = await built({ 'setup.py': '' }, SDIST);
    const zip = await built({ 'setup.py': '' }, 'demo-1.0.zip', { published: ZIP });

    expect(plain.requirements).toEqual(['setuptools', 'wheel']);
    expect(plain.settings['setupArguments']).toEqual(['sdist', '--formats=gztar']);
    expect(zip.settings['setupArguments']).toEqual(['sdist', '--formats=zip']);
  });

  it('tries older setuptools when metadata differ, and every one only once', async () => {
    const history: Attempt[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const proposed = await from({ 'setup.py': '' }, SDIST, { history });
      if (proposed.type === 'exhausted') break;
      history.push(compared(proposed.proposal, differs('demo-1.0/PKG-INFO', '-a\n+b\n')));
    }
    const tried = history.map((attempt) => JSON.stringify([attempt.proposal.requirements, attempt.proposal.settings]));

    expect(history[1]?.proposal.requirements[0]).toMatch(/^setuptools>=/);
    expect(new Set(tried).size).toBe(tried.length);
    expect(history.length).toBeLessThan(12);
  });

  it('is not made for files that the commit does not have', async () => {
    const first = await built({ 'setup.py': '' }, SDIST);

    expect(await from({ 'setup.py': '' }, SDIST, { history: [compared(first, { path: 'demo-1.0/planted.py', kind: 'only-upstream' })] })).toEqual({
      type: 'exhausted',
    });
  });

  it.each([
    { what: 'no archive', published: Buffer.from('not gzipped'), failureClass: 'malformed-artifact' },
    { what: 'an archive without PKG-INFO', published: sdist({ 'setup.py': '' }), failureClass: 'malformed-artifact' },
    { what: 'PKG-INFO of many MB', published: sdist({ 'PKG-INFO': 'x'.repeat(5 * 2 ** 20) }), failureClass: 'malformed-artifact' },
    { what: 'a commit without a project', files: { 'README.md': '' }, failureClass: 'unsupported-backend' },
    {
      what: 'a backend that needs a compiler',
      files: { 'pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "maturin"\n' },
      failureClass: 'native-code',
    },
    { what: 'a zip without setup.py', fileName: 'demo-1.0.zip', published: ZIP, files: { 'pyproject.toml': FLIT }, failureClass: 'unsupported-backend' },
  ])('is not made for $what', async ({ fileName = SDIST, published = sdist(), files = { 'setup.py': '' }, failureClass }) => {
    expect(await from(files, fileName, { published })).toMatchObject({ type: 'exhausted', failureClass });
  });
});
