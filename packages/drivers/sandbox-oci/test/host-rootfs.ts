import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sha256 } from '@granary/core/model';
import { unpackRootfs } from '../rootfs/unpacked-rootfs.ts';

const PROGRAMS = [
  'sh',
  'bash',
  'cat',
  'ls',
  'chmod',
  'mkdir',
  'ln',
  'mkfifo',
  'mknod',
  'touch',
  'id',
  'sleep',
  'head',
  'dd',
  'true',
  'env',
  'setsid',
  'unshare',
  'mount',
  'stat',
  'umask',
  'yes',
  'python3',
];

/** A small root filesystem from the programs of this machine, unpacked below `cacheDir`: enough to try to get out of. */
export async function hostRootfs(cacheDir: string, scratch: string): Promise<Sha256> {
  const root = mkdtempSync(join(scratch, 'host-rootfs-'));
  chmodSync(root, 0o755);
  for (const folder of ['usr/bin', 'usr/lib', 'usr/lib64', 'etc', 'proc', 'dev', 'tmp', 'work']) mkdirSync(join(root, folder), { recursive: true });
  for (const link of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nbuild:x:1000:1000::/work:/bin/sh\n');
  for (const program of PROGRAMS) copyProgram(root, program);
  const library = execFileSync('python3', ['-I', '-c', 'import sysconfig; print(sysconfig.get_paths()["stdlib"])'], {
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  }).trim();
  const skipped = /\/(test|__pycache__|idlelib|dist-packages|site-packages|lib2to3|ensurepip|config-[^/]*)$/;
  cpSync(library, join(root, library), { recursive: true, filter: (source) => !skipped.test(source), verbatimSymlinks: true });
  const native = join(library, 'lib-dynload');
  for (const module of readdirSync(native).filter((name) => name.startsWith('_ctypes.'))) copyLibraries(root, join(native, module));
  const tar = `${root}.tar`;
  execFileSync('tar', ['--create', `--file=${tar}`, '--sort=name', '--numeric-owner', '--directory', root, '.']);
  const digest = await unpackRootfs(cacheDir, tar);
  rmSync(root, { recursive: true });
  rmSync(tar);
  return digest;
}

/** The program and every library that its loader will ask for. */
function copyProgram(root: string, name: string): void {
  const path = ['/usr/bin', '/usr/sbin'].map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return;
  copyFile(root, path, join('/usr/bin', name));
  copyLibraries(root, realpathSync(path));
}

function copyLibraries(root: string, file: string): void {
  const libraries = execFileSync('ldd', [file], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
  for (const [, library = ''] of libraries) copyFile(root, library, library.replace(/^\/lib/, '/usr/lib'));
}

function copyFile(root: string, from: string, to: string): void {
  mkdirSync(dirname(join(root, to)), { recursive: true });
  cpSync(realpathSync(from), join(root, to));
}
