import cvss from 'ae-cvss-calculator';
import type { OsvRecord } from './osv-record.ts';

/** Qualitative severity rating scale (CVSS v3.1 specification, section 5; v4.0, section 6). */
export type Severity = 'none' | 'low' | 'medium' | 'high' | 'critical';
export interface CvssScore {
  /** 0 to 10. */
  readonly score: number;
  readonly vector: string;
}

/** Least base score of each rating. */
const LEAST: readonly (readonly [number, Severity])[] = [
  [9, 'critical'],
  [7, 'high'],
  [4, 'medium'],
  [0.1, 'low'],
  [0, 'none'],
];
const NAMES: Readonly<Record<string, Severity>> = {
  none: 'none',
  low: 'low',
  moderate: 'medium',
  medium: 'medium',
  high: 'high',
  important: 'high',
  critical: 'critical',
};

/** The highest base score among the record's vectors; undefined where none can be read. */
export function cvssOf({ vectors }: Pick<OsvRecord, 'vectors'>): CvssScore | undefined {
  const scored = vectors.flatMap((vector) => {
    const score = baseScore(vector);
    return score === undefined ? [] : [{ score, vector }];
  });
  return scored.toSorted((a, b) => b.score - a.score)[0];
}

/** As the database rates it, else by its score. Malicious packages, which nobody scores, are critical. Undefined where nothing tells. */
export function severityOf(record: Pick<OsvRecord, 'id' | 'rating' | 'vectors'>): Severity | undefined {
  const rating = record.rating?.toLowerCase() ?? '';
  if (Object.hasOwn(NAMES, rating)) return NAMES[rating];
  const score = cvssOf(record)?.score;
  if (score !== undefined) return LEAST.find(([least]) => score >= least)?.[1];
  // The prefix is reserved for them (OSV schema, "id, modified fields").
  return record.id.startsWith('MAL-') ? 'critical' : undefined;
}

/** Anything else the library would tell the console. */
const VECTOR = /^CVSS:(?:3\.[01]|4\.0)(?:\/[A-Z]{1,3}:[A-Z]{1,6}){4,64}$/i;

function baseScore(vector: string): number | undefined {
  if (!VECTOR.test(vector)) return undefined;
  try {
    const { base } = cvss.fromVector(vector)?.calculateScores() ?? {};
    return typeof base === 'number' && base >= 0 && base <= 10 ? base : undefined;
  } catch {
    return undefined;
  }
}
