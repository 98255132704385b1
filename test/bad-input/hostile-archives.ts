import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarPart, tarBytes, type ZipPart, zipBytes } from '@granary/core/test';

/** A file as a publisher may upload it. */
export interface MadeFile {
  readonly project: string;
  readonly fileName: string;
  readonly bytes: Buffer;
}

const MIB = 2 ** 20;
/** Deflates a thousandfold. */
const ZEROS = Buffer.alloc(96 * MIB);

/** A small wheel as a publisher's tool writes it. */
export function wheel(project: string, more: readonly ZipPart[] = []): MadeFile {
  const info = `${project}-1.0.dist-info`;
  const files: readonly { readonly name: string; readonly data: string }[] = [
    { name: `${project}/__init__.py`, data: `"""${project}, for tests."""\n__version__ = "1.0"\n` },
    { name: `${info}/WHEEL`, data: 'Wheel-Version: 1.0\nGenerator: flit 3.12.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' },
    { name: `${info}/METADATA`, data: `Metadata-Version: 2.4\nName: ${project}\nVersion: 1.0\nSummary: ${project}, for tests.\nRequires-Python: >=3.9\n` },
  ];
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
  const record = files.map(({ name, data }) => `${name},sha256=${digest(data)},${data.length}\n`).join('');
  const bytes = zipBytes([...files, { name: `${info}/RECORD`, data: `${record}${info}/RECORD,,\n` }, ...more]);
  return { project, fileName: `${project}-1.0-py3-none-any.whl`, bytes };
}

const FLIT = '[build-system]\nrequires = ["flit_core>=3.11,<4"]\nbuild-backend = "flit_core.buildapi"\n';

/** The source archive of the same project. */
export function sdist(project: string, more: readonly TarPart[] = [], buildSystem = FLIT): MadeFile {
  const root = `${project}-1.0`;
  const pyproject = `[project]\nname = "${project}"\nversion = "1.0"\ndescription = "${project}, for tests."\nrequires-python = ">=3.9"\n`;
  const bytes = tarBytes([
    { name: `${root}/pyproject.toml`, data: `${pyproject}\n${buildSystem}` },
    { name: `${root}/${project}/__init__.py`, data: `"""${project}, for tests."""\n__version__ = "1.0"\n` },
    { name: `${root}/PKG-INFO`, data: `Metadata-Version: 2.4\nName: ${project}\nVersion: 1.0\nSummary: ${project}, for tests.\n` },
    ...more,
  ]);
  return { project, fileName: `${root}.tar.gz`, bytes: gzipSync(bytes) };
}

/** A source archive whose build takes its time: a backend of its own waits, and then does what flit does. */
export function slowSdist(project: string, seconds: number): MadeFile {
  const backend = `import time\nfrom flit_core.buildapi import *\nfrom flit_core.buildapi import build_wheel as build\n\n\ndef build_wheel(*arguments):\n    time.sleep(${seconds})\n    return build(*arguments)\n`;
  return sdist(project, [{ name: `${project}-1.0/slow.py`, data: backend }], `${FLIT.replace('flit_core.buildapi', 'slow')}backend-path = ["."]\n`);
}

/** Wheels that no reader may believe, by what is wrong with them. */
export const HOSTILE_WHEELS: Readonly<Record<string, (project: string) => MadeFile>> = {
  bomb: (project) => wheel(project, [{ name: `${project}/zeros`, data: ZEROS }]),
  traversal: (project) => wheel(project, [{ name: '../../../../tmp/granary-escaped', data: 'out\n' }]),
  absolute: (project) => wheel(project, [{ name: '/tmp/granary-escaped', data: 'out\n' }]),
  device: (project) => wheel(project, [{ name: `${project}/disk`, data: '', mode: 0o060_666 }]),
  duplicate: (project) => wheel(project, [{ name: `${project}/__init__.py`, data: 'import os\n' }]),
  lyingsize: (project) => wheel(project, [{ name: `${project}/large.py`, data: 'x = 1\n', sizeBytes: 2, localSizeBytes: 2 }]),
  nozip: (project) => ({ ...wheel(project), bytes: Buffer.from('not a zip at all\n') }),
};

/** Source archives that must not leave the sandbox, whatever unpacks them. */
export const HOSTILE_SDISTS: Readonly<Record<string, (project: string) => MadeFile>> = {
  tarbomb: (project) => sdist(project, [{ name: `${project}-1.0/zeros`, data: ZEROS }]),
  tartraversal: (project) => sdist(project, [{ name: '../../../../../../tmp/granary-escaped', data: 'out\n' }]),
  tarabsolute: (project) => sdist(project, [{ name: '/tmp/granary-escaped', data: 'out\n' }]),
  tardevice: (project) => sdist(project, [{ name: `${project}-1.0/disk`, typeflag: '4' }]),
  tarlink: (project) =>
    sdist(project, [
      { name: `${project}-1.0/link`, typeflag: '2', linkName: '/tmp' },
      { name: `${project}-1.0/link/granary-escaped`, data: 'out\n' },
    ]),
  tarduplicate: (project) => sdist(project, [{ name: `${project}-1.0/pyproject.toml`, data: 'duplicate\n' }]),
  tarlyingsize: (project) => sdist(project, [{ name: `${project}-1.0/more.py`, data: 'x\n', sizeBytes: 8 ** 10 }]),
};
