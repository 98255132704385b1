export type ProblemCode =
  | 'checkpoint'
  | 'tile'
  | 'site'
  | 'entry'
  | 'key-reused'
  | 'stale-prev'
  | 'time'
  | 'author'
  | 'leaf'
  | 'blob'
  | 'envelope'
  /** A critical kind that this version does not know: what it means can't be checked. */
  | 'unknown-critical';

/** One thing that the bytes do not bear out. */
export interface LedgerProblem {
  readonly code: ProblemCode;
  /** Of the entry concerned. */
  readonly index?: number;
  readonly message: string;
}

/** Problems of a check: counted all, kept up to a limit. */
export interface ProblemList {
  add(problem: LedgerProblem): void;
  readonly kept: readonly LedgerProblem[];
  omitted(): number;
}

export function problemList(max: number): ProblemList {
  const kept: LedgerProblem[] = [];
  let omitted = 0;
  return {
    kept,
    omitted: () => omitted,
    add(problem) {
      if (kept.length < max) kept.push(problem);
      else omitted += 1;
    },
  };
}
