import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildProposal, RebuildSubject } from '@granary/contract/ecosystem';
import { openArchive, readZip } from '@granary/core/archive';
import { toInstant } from '@granary/core/model';
import { isInstalled, type TarPart, tarBytes } from '@granary/core/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileBuild } from './compile.ts';
import { sdistMetadata } from './metadata-job.ts';
import type { Recipe } from './recipe.ts';
import { pypiRebuild } from './strategy.ts';
import { artifact, commitBytes, commitSubject, SECONDS_2023, sdistBytes, subjectOf, wheelBytes } from './test/small-project.ts';
import { readZipStamps } from './zip-stamps.ts';

/** A backend of the source's own: writes one old file, and what it is told about its surroundings. */
const BACKEND = `
import os, zipfile
def get_requires_for_build_wheel(config_settings=None):
    return ["not-installed-here>=1"] if os.path.exists("wants-more") else []
def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open("generated.txt", "w") as file:
        file.write("a line\\n%s %o\\n" % (os.environ["TZ"], os.stat("kept.txt").st_mode & 0o777))
    with zipfile.ZipFile(os.path.join(folder, "demo-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.write("kept.txt")
        wheel.write("generated.txt")
        wheel.writestr("demo-1.0.dist-info/METADATA", "Name: demo\\n")
    return "demo-1.0-py3-none-any.whl"
def build_sdist(folder, config_settings=None):
    import tarfile
    with tarfile.open(os.path.join(folder, "demo-1.0.tar.gz"), "w:gz") as sdist:
        for name in ("kept.txt", "run.sh"):
            sdist.add(name, "demo-1.0/" + name)
    return "demo-1.0.tar.gz"
`;
const PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n';
const PROJECT = { 'pyproject.toml': PYPROJECT, 'own.py': BACKEND, 'kept.txt': 'kept\n' };

const RECIPE: Recipe = {
  choice: { toolchain: 0, frontEnd: 0, backendPath: 0, extensions: 0, sortedRequires: 0, hashSeed: 0, emptyFolders: 0, through: 0 },
  root: 'demo-1.0',
  frontEnd: 'pep517',
  backend: 'own',
  backendPath: ['.'],
  setupArguments: [],
  umask: '022',
  timeZone: 'UTC',
  hashSeed: '0',
  epoch: '',
  clock: '',
  windows: false,
  extensions: true,
  sortedRequires: false,
  restoreNames: true,
  pretendVersion: '',
  emptyFolders: [],
  through: 'tree',
  asked: [],
};

describe.skipIf(!isInstalled('python3'))('the build script', () => {
  let work = '';
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'granary-build-'));
  });
  afterEach(() => rmSync(work, { recursive: true, force: true }));

  function build(sdist: Buffer, recipe: Partial<Recipe> = {}) {
    const subject: RebuildSubject = subjectOf(wheelBytes(), sdist);
    const proposal: BuildProposal = { requirements: [], before: toInstant(0), settings: { ...RECIPE, ...recipe }, parameters: [], assists: [], notes: [] };
    return run(compileBuild(subject, proposal, []), sdist);
  }

  function run({ files, phases }: ReturnType<typeof compileBuild>, source: Buffer, fileName = 'demo-1.0.tar.gz') {
    mkdirSync(join(work, 'source'));
    mkdirSync(join(work, 'env', 'bin'), { recursive: true });
    symlinkSync(spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout.trim(), join(work, 'env', 'bin', 'python'));
    for (const { path, text } of files) writeFileSync(join(work, path), text);
    writeFileSync(join(work, 'source', fileName), source);
    const { env } = phases[1] ?? phases[0];
    const { status, stdout, stderr } = spawnSync('python3', [join(work, 'build.py'), 'build'], { env, encoding: 'utf8' });
    const folder = join(work, 'out');
    const outputs = existsSync(folder) ? readdirSync(folder).map((path) => ({ path, bytes: readFileSync(join(folder, path)) })) : [];
    return { status, log: stdout + stderr, outputs };
  }

  function buildCommit(
    fileName: string,
    files: Readonly<Record<string, string>>,
    { recipe = {}, parts = [] }: { recipe?: Partial<Recipe>; parts?: readonly TarPart[] } = {},
  ) {
    const tree = commitBytes(files, parts);
    const subject = commitSubject(fileName.endsWith('.whl') ? wheelBytes() : sdistBytes({}), tree, { fileName });
    const proposal: BuildProposal = {
      requirements: [],
      before: toInstant(0),
      settings: { ...RECIPE, root: '', ...recipe },
      parameters: [],
      assists: [],
      notes: [],
    };
    return run(compileBuild(subject, proposal, []), tree, 'demo-111111111111.tar');
  }

  async function entriesOf(outputs: ReturnType<typeof run>['outputs']) {
    return (await readZip(outputs[0]?.bytes ?? Buffer.alloc(0))).entries;
  }

  it('calls the backend in the unpacked source, whose modes and times are kept', async () => {
    const { outputs, log } = build(sdistBytes(PROJECT, { mode: 0o664 }), { timeZone: 'LOC-02:00' });

    const entries = await entriesOf(outputs);
    expect(log).toBe('');
    expect(outputs.map(({ path }) => path)).toEqual(['demo-1.0-py3-none-any.whl']);
    expect(new TextDecoder().decode(entries[1]?.content.read())).toBe('a line\nLOC-02:00 664\n');
    expect(entries.slice(0, 1).map(readZipStamps(entries).of)).toEqual([SECONDS_2023 + 2 * 3600]);
  });

  it("gives what it makes the time of the publisher's build, and nothing else", async () => {
    const clock = Date.UTC(2023, 4, 6, 9, 0, 2) / 1000;

    const { outputs } = build(sdistBytes(PROJECT), { clock: String(clock) });

    const entries = await entriesOf(outputs);
    expect(entries.map(readZipStamps(entries).of)).toEqual([SECONDS_2023, clock, clock]);
  });

  it('makes files as Windows does when the published wheel was made there', async () => {
    const { outputs } = build(sdistBytes(PROJECT), { windows: true });

    const entries = await entriesOf(outputs);
    expect(new TextDecoder().decode(entries[1]?.content.read())).toBe('a line\r\nUTC 644\r\n');
    expect(entries.map(({ header }) => header.createSystem)).toEqual([0, 0, 0]);
  });

  it('says what the backend wants more, unless it was given already', () => {
    const wanting = sdistBytes({ ...PROJECT, 'wants-more': '' });

    const { status, outputs } = build(wanting);
    rmSync(work, { recursive: true });
    mkdirSync(work);
    const again = build(wanting, { asked: ['not-installed-here>=1'] });

    expect(status).toBe(75);
    expect(pypiRebuild.readNeeds(outputs, '')).toEqual(['not-installed-here>=1']);
    expect(again.status).toBe(0);
  });

  it.each<[string, readonly TarPart[]]>([
    ['a path that leaves its folder', [{ name: 'demo-1.0/../../escaped', data: 'x' }]],
    ['a link that leaves its folder', [{ name: 'demo-1.0/link', typeflag: '2', linkName: '../../../etc' }]],
    [
      'a file behind a link',
      [
        { name: 'demo-1.0/link', typeflag: '2', linkName: '.' },
        { name: 'demo-1.0/link/x', data: 'x' },
      ],
    ],
  ])('refuses %s', (_, parts) => {
    const { status, log } = build(gzipSync(tarBytes([...parts])));

    expect(status).toBe(1);
    expect(log).toMatch(/^source archive: /);
    expect(existsSync(join(work, 'escaped'))).toBe(false);
  });

  it('makes a source archive of the tree of a commit, whose modes are those of a checkout', async () => {
    const { outputs, log } = buildCommit('demo-1.0.tar.gz', { ...PROJECT, 'run.sh': '' }, { recipe: { umask: '002' } });

    expect(log).toBe('');
    expect(outputs.map(({ path }) => path)).toEqual(['demo-1.0.tar.gz']);
    const { entries } = await openArchive(outputs[0]?.bytes ?? Buffer.alloc(0), 'tar.gz');
    expect(entries.map(({ path, mode }) => [path, mode.toString(8)])).toEqual([
      ['demo-1.0/kept.txt', '664'],
      ['demo-1.0/run.sh', '775'],
    ]);
  });

  it.each(['w:gz', 'w|gz'])('gives what a source archive is made of during the build one time, whenever that is: %s', async (mode) => {
    const files = {
      ...PROJECT,
      'run.sh': '',
      'own.py': BACKEND.replace('w:gz', mode).replace('    import tarfile', '    import tarfile\n    open("run.sh", "w").close()'),
    };

    const [one, other] = [0, 1].map(() => {
      rmSync(work, { recursive: true });
      mkdirSync(work);
      return buildCommit('demo-1.0.tar.gz', files, { recipe: { clock: '1000000000' } }).outputs[0]?.bytes ?? Buffer.alloc(0);
    });

    const archive = await openArchive(one ?? Buffer.alloc(0), 'tar.gz');
    expect(archive.entries.map(({ header }) => 'mtime' in header && header.mtime)).toEqual([SECONDS_2023, 1_000_000_000]);
    expect(archive.format === 'tar' && archive.gzip[0]?.mtime).toBe(1_000_000_000);
    expect(one?.equals(other ?? Buffer.alloc(0))).toBe(true);
  });

  it('makes a wheel by way of the source archive, where both were asked for', async () => {
    const files = {
      ...PROJECT,
      'run.sh': '',
      'pyproject.toml': PYPROJECT,
      'own.py': BACKEND.replace('"run.sh")', '"run.sh", "own.py")').replace(
        'wheel.write("kept.txt")',
        'wheel.write("kept.txt"); wheel.writestr("seen", " ".join(sorted(os.listdir())))',
      ),
    };

    const { outputs, log } = buildCommit('demo-1.0-py3-none-any.whl', files, { recipe: { through: 'sdist' } });

    expect([log, outputs.map(({ path }) => path)]).toEqual(['', ['demo-1.0-py3-none-any.whl']]);
    const seen = (await entriesOf(outputs)).find(({ path }) => path === 'seen');
    expect(new TextDecoder().decode(seen?.content.read())).toBe('generated.txt kept.txt own.py run.sh');
  });

  it('asks for nothing that only extras need', () => {
    const extras = BACKEND.replace(
      'def build_sdist',
      "def get_requires_for_build_sdist():\n    return [\"not-here; extra == 'all'\", \"nor-here >=1; python_version > '3' and extra == 'x'\"]\ndef build_sdist",
    );

    expect(buildCommit('demo-1.0.tar.gz', { ...PROJECT, 'run.sh': '', 'own.py': extras }).status).toBe(0);
  });

  it('leaves links out that lead out of the repository, and refuses none for them', () => {
    const { log, status } = buildCommit('demo-1.0-py3-none-any.whl', PROJECT, { parts: [{ name: 'tests/link', typeflag: '2', linkName: '../../../etc' }] });

    expect([status, log]).toEqual([0, "left out: 'tests/link' leads out of the repository\n"]);
  });

  it('tells setuptools the files of the commit, where a plugin would ask git', () => {
    const files = {
      'plugin-1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: plugin\nVersion: 1\n',
      'plugin-1.dist-info/entry_points.txt': '[setuptools.file_finders]\ngit = plugin:find\n',
      'setuptools/command/egg_info.py': '',
      'setuptools/command/sdist.py': '',
      '.gitattributes': '.hidden/ export-ignore\n/top export-ignore\n*.orig\ttext export-ignore\nkept.orig -export-ignore\n* text=auto\n',
      '.hidden/workflow.yml': '',
      'top/x': '',
      'plugin-1.dist-info/x.orig': '',
      'plugin-1.dist-info/kept.orig': '',
      'backend.py': `
def get_requires_for_build_sdist():
    open("made-later.txt", "w").close()
    return []
def build_sdist(folder):
    from setuptools.command import egg_info, sdist
    print(len(egg_info.walk_revctrl()), sdist.walk_revctrl("plugin-1.dist-info"))
`,
    };

    const { log } = buildCommit('demo-1.0.tar.gz', files, { recipe: { backend: 'backend', backendPath: ['.'] } });

    expect(log).toBe("7 ['plugin-1.dist-info/METADATA', 'plugin-1.dist-info/entry_points.txt', 'plugin-1.dist-info/kept.orig']\n");
  });

  it('gives the core metadata of a source archive', async () => {
    const sdist = sdistBytes(PROJECT);

    const { outputs } = run(await sdistMetadata.compile(artifact('demo-1.0.tar.gz', sdist), sdist, [], []), sdist);

    expect(new TextDecoder().decode(sdistMetadata.read(outputs))).toBe('Name: demo\n');
  });
});
