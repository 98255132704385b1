import { equivalenceStatement } from './equivalence.ts';
import type { Judged } from './judged.ts';
import { provenanceStatement } from './provenance.ts';
import type { Statement } from './statement.ts';
import { summaryStatement } from './summary.ts';

/**
 * All statements that follow from a verdict, in the order in which they rest on each other: provenance of the rebuilt file, where
 * there is one; equivalence; summary. Negative verdicts have theirs too, with the reason.
 */
export function statementsOf(judged: Judged, origin: string): readonly Statement[] {
  const provenance = judged.rebuilt === undefined ? [] : [provenanceStatement(judged.subject.name, judged.rebuilt, origin)];
  const grounds = [...provenance, equivalenceStatement(judged)];
  return [...grounds, summaryStatement(judged, grounds, origin)];
}
