import { toInstant } from '@granary/core/model';
import { describe, expect, it } from 'vitest';
import { propose } from './propose.ts';
import { pypiRebuild } from './strategy.ts';
import { artifact, PKG_INFO, SECONDS_2023, sdistBytes, subjectOf, wheelBytes } from './test/small-project.ts';

const subject = subjectOf(
  wheelBytes(),
  sdistBytes({ ...PKG_INFO, 'pyproject.toml': '[build-system]\nrequires=["flit_core"]\nbuild-backend="flit_core.buildapi"\n' }),
);
const tool = { ...artifact('demo-1.0-py3-none-any.whl', Buffer.from('tool')), publishedAt: toInstant(0) };

async function compiled() {
  const proposed = await propose(subject, []);
  if (proposed.type !== 'build') throw new Error('exhausted');
  return pypiRebuild.compile(subject, proposed.proposal, [tool]);
}

describe('a compiled build', () => {
  it('fetches from the mirror and builds without any network', async () => {
    const { phases } = await compiled();

    expect(phases.map(({ name, network }) => [name, network])).toEqual([
      ['fetch', 'mirror'],
      ['build', 'none'],
    ]);
  });

  it('names its closure by digest', async () => {
    const { files } = await compiled();

    expect(files.find(({ path }) => path === 'requirements.txt')?.text).toBe(`demo==1.0 --hash=sha256:${tool.sha256}\n`);
  });

  it('sets what was read from the artifact', async () => {
    const { phases } = await compiled();

    expect(phases[0].env).toMatchObject({ SOURCE_DATE_EPOCH: String(SECONDS_2023), TZ: 'UTC', LC_ALL: 'C.UTF-8', PYTHONHASHSEED: '0' });
  });

  it('is the same for the same input', async () => {
    expect(await compiled()).toEqual(await compiled());
  });
});

describe('the strategy', () => {
  const named = (fileName: string) => artifact(fileName, Buffer.from(fileName));

  it('takes pure wheels', () => {
    expect(pypiRebuild.eligible(named('demo-1.0-py3-none-any.whl'))).toEqual({ ok: true });
    expect(pypiRebuild.eligible(named('demo-1.0-cp311-cp311-manylinux1_x86_64.whl'))).toEqual({ ok: false, failureClass: 'native-code' });
    expect(pypiRebuild.eligible(named('demo-1.0-py3.11.egg'))).toEqual({ ok: false, failureClass: 'not-a-wheel' });
  });

  it('takes source archives where a commit can be had, and has said so until then', () => {
    for (const fileName of ['demo-1.0.tar.gz', 'demo-1.0.zip']) {
      expect(pypiRebuild.eligible(named(fileName))).toEqual({ ok: true, withoutCommit: 'not-a-wheel' });
      expect(pypiRebuild.sourceOf?.(named(fileName), ['demo-1.0.tar.gz', 'demo-1.0.zip'].map(named))).toBeUndefined();
    }
    for (const fileName of ['demo-1.0.tar.bz2', 'demo-1.0.linux-x86_64.tar.gz', 'other-1.0.tar.gz'])
      expect(pypiRebuild.eligible(named(fileName))).toEqual({ ok: false, failureClass: 'not-a-wheel' });
  });

  it('builds from the gzipped tar of the same release', () => {
    const siblings = ['demo-1.0.zip', 'demo-1.0.tar.bz2', 'demo-1.0.tar.gz', 'demo-1.0-py3-none-any.whl'].map(named);

    expect(pypiRebuild.sourceOf?.(named('demo-1.0-py3-none-any.whl'), siblings)?.fileName).toBe('demo-1.0.tar.gz');
    expect(pypiRebuild.sourceOf?.(named('demo-1.0-py3-none-any.whl'), siblings.slice(1, 2))).toBeUndefined();
  });

  it.each([
    ["error: command '/usr/bin/gcc' failed: No such file or directory", 'toolchain-missing'],
    ['OSError: [Errno 28] No space left on device', 'disk-full'],
    ['ModuleNotFoundError: No module named demo', 'build-failed'],
    ['  × No solution found when resolving dependencies', 'dependency-unavailable'],
    ['urllib3: Temporary failure in name resolution', 'dependency-unavailable'],
  ])('reads from the log %s: %s', (log, failureClass) => {
    expect(pypiRebuild.classifyFailure(log)).toBe(failureClass);
  });
});
