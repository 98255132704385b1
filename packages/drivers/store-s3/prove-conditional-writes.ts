import { retrying } from './retrying.ts';
import type { Condition, S3Bucket } from './s3-bucket.ts';
import { S3Fault } from './s3-fault.ts';
import type { ProbeSize, S3Finding, S3Findings } from './s3-findings.ts';
import type { Patience } from './s3-service.ts';

/** A service under trial. */
export interface Trial {
  readonly bucket: S3Bucket;
  readonly patience: Patience;
  readonly size: ProbeSize;
  /** Of an object below the folder of this trial. */
  key(name: string): string;
  /** Everything that was perhaps written, to be removed. */
  readonly written: Set<string>;
}

type Outcome = 'won' | 'lost' | 'unanswered' | 'unsupported';
/** One round is `fair` when exactly one of the writers won and what is stored is what that one wrote. */
type Round = 'fair' | 'two-winners' | 'no-winner' | 'overwritten' | 'stale-read' | 'late-writer' | 'unanswered' | 'unsupported';

const MAX_BODY_BYTES = 1000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Many writers at once, over a connection each, in several rounds: a service that looks and then writes lets two of them win sooner or later. */
export async function proveConditionalWrites(trial: Trial): Promise<Pick<S3Findings, 'createOnce' | 'swap' | 'readAfterWrite'>> {
  const creating: Round[] = [];
  for (let round = 0; round < trial.size.rounds; round += 1) creating.push(await createRound(trial, trial.key(`create-${round}`)));
  const swapping: Round[] = [];
  const key = trial.key('swap');
  trial.written.add(key);
  await retrying(trial.patience, () => trial.bucket.put(key, bytes('before all')));
  for (let round = 0; round < trial.size.rounds; round += 1) swapping.push(await swapRound(trial, key));
  return {
    createOnce: findingOf('If-None-Match', creating, trial.size),
    swap: findingOf('If-Match', swapping, trial.size),
    readAfterWrite: readFinding([...creating, ...swapping]),
  };
}

async function createRound(trial: Trial, key: string): Promise<Round> {
  trial.written.add(key);
  return race(trial, key, { condition: { type: 'absent' }, before: undefined });
}

async function swapRound(trial: Trial, key: string): Promise<Round> {
  const before = await retrying(trial.patience, () => trial.bucket.read(key, MAX_BODY_BYTES));
  if (before === undefined || before === 'too-large') return 'stale-read';
  return race(trial, key, { condition: { type: 'etag', etag: before.etag }, before: before.bytes });
}

async function race(
  trial: Trial,
  key: string,
  { condition, before }: { readonly condition: Condition; readonly before: Uint8Array | undefined },
): Promise<Round> {
  const bodies = Array.from({ length: trial.size.writers }, (_, writer) => bytes(`writer ${writer} of ${key} ${performance.now()}`));
  const outcomes = await Promise.all(bodies.map((body) => attempt(trial, key, body, condition)));
  if (outcomes.includes('unsupported')) return 'unsupported';
  const winners = bodies.filter((_, writer) => outcomes[writer] === 'won');
  if (winners.length > 1) return 'two-winners';
  const stored = await retrying(trial.patience, () => trial.bucket.read(key, MAX_BODY_BYTES));
  const held = stored === 'too-large' ? undefined : stored?.bytes;
  // One whose answer was lost may be the one who won.
  const possible = winners.length === 1 ? winners : bodies.filter((_, writer) => outcomes[writer] === 'unanswered');
  if (possible.some((body) => same(body, held))) return (await isLate(trial, key, condition)) ? 'late-writer' : 'fair';
  if (winners.length === 1) return same(held, before) ? 'stale-read' : 'overwritten';
  return possible.length > 0 ? 'unanswered' : 'no-winner';
}

/** Whether somebody who comes after all, with the condition of before, is let in. */
async function isLate(trial: Trial, key: string, condition: Condition): Promise<boolean> {
  return (await attempt(trial, key, bytes('too late'), condition)) === 'won';
}

async function attempt({ bucket }: Trial, key: string, body: Uint8Array, condition: Condition): Promise<Outcome> {
  try {
    await bucket.put(key, body, { condition });
    return 'won';
  } catch (error) {
    if (!(error instanceof S3Fault)) throw error;
    switch (error.kind) {
      case 'precondition':
      case 'absent':
        return 'lost';
      case 'unsupported':
        return 'unsupported';
      case 'transient':
        // 409 says that nothing was written.
        return error.code === 'ConditionalRequestConflict' ? 'lost' : 'unanswered';
      case 'denied':
      case 'full':
      case 'refused':
        throw error;
    }
  }
}

const MEANING: Readonly<Record<Exclude<Round, 'fair'>, string>> = {
  'two-winners': 'let several win',
  'no-winner': 'let nobody win',
  overwritten: 'kept the bytes of one who was told to have lost',
  'stale-read': 'showed what was there before the write',
  'late-writer': 'let a late writer in',
  unanswered: 'did not answer',
  unsupported: 'does not know the condition',
};

function findingOf(header: string, rounds: readonly Round[], { writers }: ProbeSize): S3Finding {
  const tried = `${header}: ${rounds.length} rounds of ${writers} writers at once`;
  const fair = rounds.filter((round) => round === 'fair' || round === 'stale-read').length;
  if (fair === rounds.length) return { state: 'holds', detail: `${tried}, exactly one won in each` };
  const unfair = rounds.filter((round) => round !== 'fair' && round !== 'stale-read');
  const seen = [...new Set(unfair)].map((round) => `in ${unfair.filter((other) => other === round).length} the service ${MEANING[round]}`);
  const detail = `${tried}: ${seen.join(', ')}`;
  if (unfair.includes('unsupported')) return { state: 'unsupported', detail };
  return { state: unfair.every((round) => round === 'unanswered') ? 'unclear' : 'broken', detail };
}

function readFinding(rounds: readonly Round[]): S3Finding {
  const stale = rounds.filter((round) => round === 'stale-read').length;
  const clear = rounds.filter((round) => round === 'fair').length;
  if (stale > 0) return { state: 'broken', detail: `read after write: ${stale} of ${rounds.length} reads ${MEANING['stale-read']}` };
  if (clear === 0) return { state: 'unclear', detail: 'read after write: no write won, so that none could be read' };
  return { state: 'holds', detail: `read after write: ${clear} reads saw the write before them` };
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
