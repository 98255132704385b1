import { storedArtifact } from '@granary/contract/ecosystem';
import type { Catalog, CatalogFact } from '@granary/contract/ports';
import { type PinnedArtifact, packageOf, parsePurl, releaseOf } from '@granary/core/model';
import { AppError } from '../app-error.ts';

/** A stored artifact and the fact that says so. */
export interface FoundArtifact {
  readonly artifact: PinnedArtifact;
  readonly stored: CatalogFact;
}

/** Artifacts that a purl names: one file, a release, or every release of a package. Throws AppError `usage` or `not-found`. */
export function findArtifacts(catalog: Catalog, text: string): readonly FoundArtifact[] {
  const purl = parsePurl(text);
  if (purl === undefined) throw new AppError('usage', `${text}: not a package URL; expected one such as pkg:pypi/click@8.1.7`);
  const matches = (subject: string): boolean => {
    const candidate = parsePurl(subject);
    if (candidate === undefined) return false;
    return candidate === purl || releaseOf(candidate) === purl || packageOf(candidate) === purl;
  };
  const facts = new Map(
    catalog.ofPackage('stored', packageOf(purl)).flatMap((fact) => (matches(fact.entry.subject) ? [[fact.entry.subject, fact] as const] : [])),
  );
  if (facts.size === 0) throw new AppError('not-found', `${purl} isn't held here; granary watch add ${text} has it mirrored`);
  return [...facts.values()].map((stored) => ({ stored, artifact: storedArtifact(stored) }));
}
