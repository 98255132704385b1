import type { RebuildStrategy } from '@granary/contract/ecosystem';
import { type Artifact, purlParts } from '@granary/core/model';
import { formatOf } from '../core-metadata.ts';
import { installableWheel } from '../installable.ts';
import { isPureWheel, parseFileName } from '../names.ts';
import { pypiCommits } from './commits.ts';
import { compileBuild, OWN_VARIABLES } from './compile.ts';
import { classifyFailure, readNeeds } from './failures.ts';
import { sdistMetadata } from './metadata-job.ts';
import { propose } from './propose.ts';

/** Rebuilds pure wheels from the source archive of the same release and from its commit, source archives from the commit. */
export const pypiRebuild: RebuildStrategy = {
  engine: 2,
  eligible(target) {
    const { fileName } = target;
    if (isComparableSdist(target)) return { ok: true, withoutCommit: 'not-a-wheel' };
    if (!fileName.endsWith('.whl')) return { ok: false, failureClass: 'not-a-wheel' };
    return isPureWheel(fileName) ? { ok: true } : { ok: false, failureClass: 'native-code' };
  },
  commits: pypiCommits,
  sourceOf,
  installableOf: installableWheel,
  propose,
  compile: compileBuild,
  readNeeds,
  classifyFailure,
  written: { ownVariables: OWN_VARIABLES, requirementProblem },
  metadata: sdistMetadata,
};

/** PEP 508 without extras, markers and addresses: a build is given what an index has. */
const REQUIREMENT =
  /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*((==|>=|<=|~=|!=|<|>)\s*[0-9A-Za-z.*+!]+\s*(,\s*(==|>=|<=|~=|!=|<|>)\s*[0-9A-Za-z.*+!]+\s*)*)?$/;

function requirementProblem(text: string): string | undefined {
  return text.length <= 200 && REQUIREMENT.test(text) ? undefined : 'expected a project and versions, such as cython<3';
}

/** Of the formats that tools make, and builds are compared in. */
function isComparableSdist({ purl, fileName }: Artifact): boolean {
  const file = parseFileName(purlParts(purl).name, fileName);
  return file?.kind === 'sdist' && (file.suffix === '.tar.gz' || file.suffix === '.zip');
}

/** Of several source archives of a release, the gzipped tar: it keeps modes and exact times. */
function sourceOf<Known extends Artifact>(target: Artifact, siblings: readonly Known[]): Known | undefined {
  const { name, version } = purlParts(target.purl);
  if (!target.fileName.endsWith('.whl')) return undefined;
  const sources = siblings.filter(({ purl, fileName }) => {
    const file = parseFileName(name, fileName);
    return file?.kind === 'sdist' && purlParts(purl).version === version && formatOf(fileName) !== undefined;
  });
  return sources.toSorted((a, b) => Number(a.fileName.endsWith('.zip')) - Number(b.fileName.endsWith('.zip')) || (a.fileName < b.fileName ? -1 : 1))[0];
}
