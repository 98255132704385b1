import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenedImage, openImage } from './open-image.ts';
import { runContained } from './run-contained.ts';

const BUILD = join(import.meta.dirname, 'build');
const reason = missing();

/** Why no image can be built here; undefined when one can. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can unpack and run it here';
  const absent = ['buildah', 'mmdebstrap', 'crun', 'git', 'npm'].filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  return absent.length === 0 ? undefined : `missing: ${absent.join(', ')}; \`apt-get install -y --no-install-recommends buildah mmdebstrap crun\` brings them`;
}

describe.skipIf(reason !== undefined)(`the image${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let folder: string;
  let revision: string;
  let image: OpenedImage;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'granary-image-'));
    revision = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    for (const name of ['first', 'second']) execFileSync(BUILD, [join(folder, `${name}.oci.tar`), revision], { stdio: 'inherit' });
    image = openImage(join(folder, 'first.oci.tar'), folder);
  }, 3_600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has the same bytes when it is built again', () => {
    const [first, second] = ['first', 'second'].map((name) => execFileSync('sha256sum', [join(folder, `${name}.oci.tar`)], { encoding: 'utf8' }).slice(0, 64));

    expect(second).toBe(first);
  });

  it('runs as a user of its own, and says from which revision it is and nothing of when it was made', () => {
    const committed = Number(execFileSync('git', ['log', '-1', '--format=%ct', revision], { cwd: import.meta.dirname, encoding: 'utf8' }));

    expect(image.config).toMatchObject({ user: '10001:10001', entrypoint: ['/opt/granary/granary'], revision });
    expect(Date.parse(image.config.created)).toBe(committed * 1000);
  });

  it('shows its help from a read-only root, without capabilities', () => {
    expect(runContained(image, folder, ['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('sequencer [options]'), stderr: '' });
    expect(runContained(image, folder, ['serve', '--data', '/var/lib/granary'])).toMatchObject({ code: 66 });
  });

  it('brings every program that Granary runs', () => {
    const programs = ['git', 'bwrap', 'crun', 'mmdebstrap', 'socat', 'ip', 'xz', 'diff', 'python3', 'apt-get', 'setpriv', 'unshare'];
    const found = programs.filter((name) => ['usr/bin', 'usr/sbin', 'bin', 'sbin'].some((path) => readdirSync(join(image.rootfs, path)).includes(name)));

    expect(found).toEqual(programs);
  });

  it('gives the folders of data to its user, and nothing else', async () => {
    const owners = await Promise.all(
      ['var/lib/granary', 'var/lib/granary-keys', 'opt/granary', 'opt/granary/granary'].map((path) => stat(join(image.rootfs, path))),
    );

    expect(owners.map(({ uid }) => uid)).toEqual([10_001, 10_001, 0, 0]);
    expect(
      execFileSync('find', [join(image.rootfs, 'opt'), '(', '-perm', '/o+w', '-o', '-perm', '/a+s', ')', '-not', '-type', 'l'], { encoding: 'utf8' }),
    ).toBe('');
  });

  it('names no place of the machine that built it', () => {
    const installed = ['node_modules', '.toolchain'].map((name) => join(image.rootfs, 'opt/granary', name));
    const places = ['-e', `${tmpdir()}/tmp\\.`, '-e', join(import.meta.dirname, '../..')];
    const { stdout } = spawnSync('grep', ['-rIl', ...places, ...installed], { encoding: 'utf8' });

    expect(stdout).toBe('');
    expect(readFileSync(join(image.rootfs, 'opt/granary/node_modules/.installed-lock.yaml'), 'utf8')).toBe(
      readFileSync(join(image.rootfs, 'opt/granary/pnpm-lock.yaml'), 'utf8'),
    );
  });
});
