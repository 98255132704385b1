/** `unclear`: the service did not answer often enough to tell. */
export interface S3Finding {
  readonly state: 'holds' | 'broken' | 'unsupported' | 'unclear';
  /** What was seen, with figures. */
  readonly detail: string;
}
/** What a service really does, as far as trying can show. */
export interface S3Findings {
  /** `If-None-Match: *`: of many writers at once exactly one makes the object. */
  readonly createOnce: S3Finding;
  /** `If-Match`: of many writers at once exactly one replaces that version, and an older version is never taken for it. */
  readonly swap: S3Finding;
  /** A read after a write, over another connection, sees it. */
  readonly readAfterWrite: S3Finding;
  /** A listing sees what was just written, not what was just removed, and is in the order of code points. */
  readonly listing: S3Finding;
  /** Part of an object, and only of the version that was asked for. */
  readonly ranges: S3Finding;
}
export interface ProbeSize {
  readonly rounds: number;
  readonly writers: number;
}

/** Why heads of ledgers must not be kept there, and what to do instead; undefined when they may. */
export function lockRefusal(findings: S3Findings): string | undefined {
  const failing = (['createOnce', 'swap', 'readAfterWrite'] as const).filter((name) => findings[name].state !== 'holds');
  if (failing.length === 0) return undefined;
  return `${failing.map((name) => findings[name].detail).join('; ')}: not safe as the lock of a ledger; use PostgreSQL for it: lock: {postgres: {url: …}}`;
}

/** Why the archive must not be kept there; undefined when it may. A service without conditional writes will do, with `check-then-put`. */
export function storeRefusal(findings: S3Findings): string | undefined {
  const failing = (['readAfterWrite', 'listing', 'ranges'] as const).filter(
    (name) => findings[name].state === 'broken' || findings[name].state === 'unsupported',
  );
  if (failing.length === 0) return undefined;
  return `${failing.map((name) => findings[name].detail).join('; ')}: an archive needs this; use another service`;
}
