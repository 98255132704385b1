import type { Catalog } from '@granary/contract/ports';
import {
  type Artifact,
  type FailureClass,
  type Rung,
  type ShownVerdict,
  type SourceFinding,
  type SourceTier,
  StoredBody,
  VerdictBody,
} from '@granary/core/model';

/** One line of the table, and one element of `artifacts` in `--json`. */
export interface Outcome {
  readonly purl: string;
  readonly filename: string;
  /** Null while nobody knows it: upstream states others, and it isn't stored. */
  readonly sha256: string | null;
  readonly verdict: ShownVerdict;
  readonly rung: Rung | null;
  readonly sourceTier: SourceTier | null;
  /** Failure class, or the cause when it was built and differs. */
  readonly failureClass: FailureClass | string | null;
  /** What its sources say against each other. */
  readonly findings: readonly SourceFinding[];
  readonly seconds: number;
}

/** What is known of an artifact now. `error` is ours: the job was given up on. */
export function outcomeOf(catalog: Catalog, artifact: Artifact, errors: ReadonlyMap<string, string>): Outcome {
  const fact = catalog.current('verdict', artifact.purl);
  const stored = catalog.current('stored', artifact.purl);
  const sha256 = stored === undefined ? artifact.digests.sha256 : StoredBody.parse(stored.entry.body).sha256;
  const common = { purl: artifact.purl, filename: artifact.fileName, sha256: sha256 ?? null };
  if (fact === undefined) {
    const error = errors.get(artifact.purl);
    return {
      ...common,
      verdict: error === undefined ? 'pending' : 'error',
      rung: null,
      sourceTier: null,
      failureClass: error === undefined ? null : 'infrastructure',
      findings: [],
      seconds: 0,
    };
  }
  const body = VerdictBody.parse(fact.entry.body);
  return {
    ...common,
    verdict: body.verdict,
    rung: body.rung ?? null,
    sourceTier: body.tier ?? null,
    failureClass: body.failureClass ?? body.cause ?? null,
    findings: body.findings ?? [],
    seconds: Math.round((body.run?.durationMs ?? 0) / 100) / 10,
  };
}
