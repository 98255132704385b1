import type { Artifact } from '@granary/core/model';
import { purlParts } from '@granary/core/model';
import { parseFileName } from './names.ts';

/** CPython of the root filesystem, on glibc. */
const PYTHON_MINOR = 11;

/** Of one release, the wheel that CPython 3.11 on x86-64 Linux would install (PEP 425): machine code for exactly this interpreter first, as installers rank it. */
export function installableWheel<Known extends Artifact>(release: readonly Known[]): Known | undefined {
  const ranked = release.flatMap((artifact) => {
    const rank = rankOf(artifact);
    return rank === undefined ? [] : [{ artifact, rank }];
  });
  return ranked.toSorted((a, b) => a.rank - b.rank || (a.artifact.fileName < b.artifact.fileName ? -1 : 1))[0]?.artifact;
}

/** Lower is better; undefined when it can't be installed. */
function rankOf(artifact: Artifact): number | undefined {
  const wheel = parseFileName(purlParts(artifact.purl).name, artifact.fileName);
  if (wheel?.kind !== 'wheel') return undefined;
  const pythons = wheel.python.split('.');
  const platforms = wheel.platform.split('.');
  const native = platforms.some((platform) => /^(linux|manylinux(1|2010|2014|_2_\d+))_x86_64$/.test(platform) && isOldEnough(platform));
  if (!native && !platforms.includes('any')) return undefined;
  if (wheel.abi.split('.').includes(`cp3${PYTHON_MINOR}`)) return 0;
  if (wheel.abi.split('.').includes('abi3')) return pythons.some((python) => isCpythonUpTo(python)) ? 1 : undefined;
  if (wheel.abi !== 'none') return undefined;
  return pythons.some((python) => python === 'py3' || isCpythonUpTo(python) || (/^py3\d+$/.test(python) && Number(python.slice(3)) <= PYTHON_MINOR))
    ? native
      ? 2
      : 3
    : undefined;
}

function isCpythonUpTo(tag: string): boolean {
  return /^cp3\d+$/.test(tag) && Number(tag.slice('cp3'.length)) <= PYTHON_MINOR;
}

/** PEP 600: the root filesystem has glibc 2.36. */
function isOldEnough(platform: string): boolean {
  const minor = /^manylinux_2_(\d+)_/.exec(platform)?.[1];
  return minor === undefined || Number(minor) <= 36;
}
