import { randomBytes } from 'node:crypto';
import { formatReaderToken, MAX_READERS, parseReaderId } from '@granary/core/access';
import { sha256 } from '@granary/core/model';
import { addReader, type ReaderChange, readersIn, removeReader } from '@granary/stage-access';
import { AppError } from '../app-error.ts';
import { formatTable } from '../output/terminal.ts';
import { type OperatorSiteOptions, withOperatorSite } from '../roles/operator-site.ts';
import type { SiteReader } from '../roles/site-reader.ts';

export type ReaderCommand = Omit<OperatorSiteOptions, 'mayMake'>;
/** What became of a command: whether it is in the ledger already, or waits for the process that writes it. */
interface ReaderOutcome {
  readonly id: string;
  readonly name: string;
  readonly state: 'recorded' | 'handed-over';
}
export interface AddedReader extends ReaderOutcome {
  /** Kept nowhere: whoever loses it gets another. */
  readonly token: string;
}

/** Makes a token and lets in who shows it. Throws AppError `usage`. */
export async function readerAdd(command: ReaderCommand, name: string): Promise<AddedReader> {
  const id = parseReaderId(randomBytes(8).toString('hex'));
  if (id === undefined) throw new RangeError('reader id: not made of 16 hexadecimal digits');
  const token = formatReaderToken(id, randomBytes(32));
  return await withOperatorSite({ ...command, mayMake: true }, async (site) => {
    const { fact } = accepted(await addReader(site.ports, { id, name, token: sha256(token) }), name);
    return { id, name, token, state: await site.settle(fact) };
  });
}

/** By name or id. Throws AppError `not-found`. */
export async function readerRemove(command: ReaderCommand, nameOrId: string): Promise<ReaderOutcome> {
  return await withOperatorSite({ ...command, mayMake: false }, async (site) => {
    const removed = await removeReader(site.ports, nameOrId);
    if (removed === undefined) throw new AppError('not-found', `${nameOrId}: no reader has this name or id; granary reader list shows them`);
    return { ...removed.reader, state: await site.settle(removed.fact) };
  });
}

function accepted(change: ReaderChange, name: string): Extract<ReaderChange, { readonly type: 'changed' }> {
  switch (change.type) {
    case 'changed':
      return change;
    case 'name-taken':
      throw new AppError('usage', `${name}: there is a reader of this name; take another, or granary reader remove it first`);
    case 'bad-name':
      throw new AppError('usage', `${name.slice(0, 80)}: expected a name of at most 64 letters, digits, spaces and . _ @ / -`);
    case 'too-many':
      throw new AppError('usage', `${name}: there are ${MAX_READERS} readers, and no more are kept; remove some`);
  }
}

/** One line of `reader list`. */
export interface ReaderLine {
  readonly id: string;
  readonly name: string;
  readonly since: string;
}

export function listReaders({ catalog }: Pick<SiteReader, 'catalog'>): readonly ReaderLine[] {
  return readersIn(catalog).map(({ id, name, since }) => ({ id, name, since }));
}

export function formatReaders(lines: readonly ReaderLine[]): string {
  if (lines.length === 0) return 'there are no readers';
  return formatTable([['ID', 'NAME', 'SINCE'], ...lines.map(({ id, name, since }) => [id, name, since])]);
}

/** For people; the token stands alone on the last line. */
export function formatAdded({ id, name, token, state }: AddedReader, readers: 'anyone' | 'registered'): string {
  return [
    `reader ${id} ${name}: may read${whenOf(state)}; this token is shown once and kept nowhere`,
    ...(readers === 'registered' ? [] : ['everybody may read now: readers: registered in granary.yaml changes that']),
    token,
  ].join('\n');
}

export function formatRemoved({ id, name, state }: ReaderOutcome): string {
  return `reader ${id} ${name}: may read no longer${whenOf(state)}`;
}

function whenOf(state: ReaderOutcome['state']): string {
  return state === 'recorded' ? '' : ', once a process that writes the ledger takes it: granary up, or granary sequencer';
}
