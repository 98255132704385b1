import type { Attempt, RebuildSubject } from '@granary/contract/ecosystem';
import type { Comparison, Difference } from '@granary/core/compare';
import { sha256, toInstant, toPurl } from '@granary/core/model';
import { tarBytes } from '@granary/core/test';
import { artifactPurl, usualFileName } from '../../names.ts';

export type Files = Readonly<Record<string, string | object>>;
export const PUBLISHED = toInstant(Date.UTC(2024, 5, 1));
export const COMMITTED_SECONDS = Date.UTC(2024, 4, 31) / 1000;

/** A release of `box` and the commit it is said to be of. */
export function subjectOf(files: Files, { directory, name = 'box' }: { readonly directory?: string; readonly name?: string } = {}): RebuildSubject {
  const sourceBytes = tarBytes(
    Object.entries(files).map(([path, content]) => ({
      name: path,
      data: typeof content === 'string' ? content : JSON.stringify(content),
      mtime: COMMITTED_SECONDS,
    })),
  );
  const fileName = usualFileName(name, '1.2.3');
  const bytes = new TextEncoder().encode('tarball');
  return {
    target: {
      purl: artifactPurl(name, '1.2.3', fileName),
      fileName,
      sha256: sha256(bytes),
      digests: { sha256: sha256(bytes) },
      path: '',
      publishedAt: PUBLISHED,
    },
    published: bytes,
    source: {
      kind: 'commit',
      tier: 'commit-tagged',
      repository: toPurl('pkg:git/forge.example/owner/box'),
      commit: 'a'.repeat(40),
      ...(directory === undefined ? {} : { directory }),
      fileName: 'box-aaaaaaaaaaaa.tar',
      sha256: sha256(sourceBytes),
    },
    sourceBytes,
    // Of the day of publication: nothing else is worth trying.
    runtimeVersion: '20.12.0+npm.10.5.0',
  };
}

export function comparison(...residue: readonly Difference[]): Comparison {
  const digest = sha256('');
  const rung = residue.length === 0 ? 'source-subset' : 'none';
  return { upstream: digest, rebuild: digest, rung, ruleset: digest, needed: [], residue, residueOmitted: 0, findings: [] };
}

/** What looking for the files in the commit came to. */
export function looked(...residue: readonly Difference[]): Attempt {
  return {
    proposal: { method: 'source-files', requirements: [], before: PUBLISHED, settings: {}, parameters: [], assists: [], notes: [] },
    outcome: { type: 'compared', comparison: comparison(...residue) },
  };
}
export const LACKS_DIST: Difference = { path: 'package/dist/index.js', kind: 'only-upstream', cause: 'extra-upstream-files' };
