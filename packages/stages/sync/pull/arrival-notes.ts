import { type Store, type StoredBlob, StoreError } from '@granary/contract/ports';
import { groupCommit } from '@granary/contract/work';
import { arrivalKey, arrivalPrefix, type ObjectKey } from '@granary/core/layout';
import { type Instant, type Purl, parseInstant, parsePurl, Sha256Shape, sha256 } from '@granary/core/model';
import { z } from 'zod';
import type { Stated } from '../sighting.ts';

/** A file that a client has, by what upstream says of its release. */
export interface ArrivalNote {
  readonly at: Instant;
  readonly packagePurl: Purl;
  readonly path: string;
  readonly statement: Stated['statement'];
  readonly blob: StoredBlob;
  /** All of it, where it isn't in the store. */
  readonly bytes?: Uint8Array | undefined;
}
/** A note that is durable. */
export interface KeptNote {
  readonly note: ArrivalNote;
  /** It is on record: the note isn't needed any more. */
  remove(): Promise<void>;
}
/** Remembers what came until it is on record, whatever dies meanwhile: objects of lines, as facts have them (0101). */
export interface ArrivalNotes {
  /** Resolves when it is durable. What comes while a write is under way shares an object. */
  keep(note: ArrivalNote): Promise<KeptNote>;
  /** What others wrote, an object at a time, and not what was given before. An object with something younger than `until` is left for another time. Throws at the end what was wrong with some. */
  left(until: Instant | undefined): AsyncIterable<LeftNotes>;
}
interface LeftNotes {
  readonly key: ObjectKey;
  readonly notes: readonly KeptNote[];
  /** It has lines that no version of ours wrote, or that were damaged: it stays. */
  readonly isUnreadable: boolean;
}

const MAX_LINES = 256;
/** A statement has 256 KiB at most (`ReleaseDocuments`), and six times that where every character of it is escaped; a file has 64 KiB (`holdSmall`). */
const MAX_OBJECT_BYTES = 4 * 2 ** 20;

/** An object with notes in it, by what is left of them. */
interface Holder {
  readonly key: ObjectKey;
  readonly left: Set<symbol>;
}
interface Line {
  readonly bytes: Uint8Array;
  readonly id: symbol;
  /** Of the object that it was written in. */
  outcome?: PromiseSettledResult<Holder> | undefined;
}

export function openArrivalNotes({ objects, mutable }: Pick<Store, 'objects' | 'mutable'>, ecosystem: string): ArrivalNotes {
  /** What was written or given here. */
  const known = new Set<ObjectKey>();
  const keptIn = (holder: Holder, note: ArrivalNote, id: symbol): KeptNote => ({
    note,
    /** May be repeated where it failed. */
    async remove() {
      holder.left.delete(id);
      if (holder.left.size > 0) return;
      await mutable.remove(holder.key);
      known.delete(holder.key);
    },
  });
  const putDown = async (group: readonly Line[]): Promise<Holder> => {
    const bytes = Buffer.concat(group.flatMap((line) => [line.bytes, NEWLINE]));
    const holder = { key: arrivalKey(ecosystem, sha256(bytes)), left: new Set(group.map(({ id }) => id)) };
    known.add(holder.key);
    // It may be there for all that: then it is found as others' are.
    await objects.putOnce(holder.key, bytes).catch((error: unknown) => {
      known.delete(holder.key);
      throw error;
    });
    return holder;
  };
  const write = groupCommit(async (lines: readonly Line[]) => {
    const groups = groupsOf(lines);
    const outcomes = await Promise.allSettled(groups.map(putDown));
    for (const [index, group] of groups.entries()) for (const line of group) line.outcome = outcomes[index];
  });
  return {
    async keep(note) {
      const line: Line = { bytes: encode(note), id: Symbol() };
      await write([line]);
      // That of its own object alone.
      if (line.outcome?.status !== 'fulfilled') throw line.outcome?.reason;
      return keptIn(line.outcome.value, note, line.id);
    },
    async *left(until) {
      const faults: unknown[] = [];
      for await (const key of objects.list(arrivalPrefix(ecosystem))) {
        const found = known.has(key) ? undefined : await readObject({ objects }, key, until).catch((error: unknown) => void faults.push(error));
        if (found === undefined) continue;
        known.add(key);
        const ids = found.map(() => Symbol());
        const holder = { key, left: new Set(ids) };
        const notes = found.flatMap((note, index) => (note === undefined ? [] : keptIn(holder, note, ids[index] ?? Symbol())));
        yield { key, notes, isUnreadable: notes.length < found.length };
      }
      // The others come first.
      if (faults.length > 0) throw faults[0];
    },
  };
}

/** Its notes, undefined for lines that aren't any; undefined where it is gone, or one is younger than `until`. */
async function readObject(
  { objects }: Pick<Store, 'objects'>,
  key: ObjectKey,
  until: Instant | undefined,
): Promise<readonly (ArrivalNote | undefined)[] | undefined> {
  try {
    const bytes = await objects.get(key, MAX_OBJECT_BYTES);
    const found = bytes && Buffer.from(bytes).toString().trimEnd().split('\n').map(decode);
    return until !== undefined && found?.some((note) => note !== undefined && note.at > until) ? undefined : found;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-large') return [undefined];
    throw error;
  }
}

const NEWLINE = Uint8Array.of(0x0a);

function groupsOf(lines: readonly Line[]): readonly (readonly Line[])[] {
  const groups: Line[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const length = line.bytes.length + NEWLINE.length;
    if (sizeBytes + length > MAX_OBJECT_BYTES || groups.at(-1)?.length === MAX_LINES) {
      groups.push([]);
      sizeBytes = 0;
    }
    groups.at(-1)?.push(line);
    sizeBytes += length;
  }
  return groups;
}

function encode({ at, packagePurl, path, statement, blob: { sha256, sizeBytes }, bytes }: ArrivalNote): Uint8Array {
  const base64 = bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  return Buffer.from(JSON.stringify({ at, package: packagePurl, path, statement, sha256, sizeBytes, base64 }));
}

const Note = z.object({
  at: z.string().transform(parseInstant),
  package: z.string().transform(parsePurl),
  path: z.string(),
  statement: z.object({ url: z.string(), text: z.string() }),
  sha256: Sha256Shape,
  sizeBytes: z.number().int().nonnegative(),
  base64: z.string().optional(),
});

function decode(text: string): ArrivalNote | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { success, data } = Note.safeParse(value);
  if (!success || data.package === undefined || data.at === undefined) return undefined;
  const { at, package: packagePurl, path, statement, sha256: digest, sizeBytes, base64 } = data;
  // A copy of its own, as in holdSmall.
  const bytes = base64 === undefined ? undefined : new Uint8Array(Buffer.from(base64, 'base64'));
  if (bytes !== undefined && (bytes.length !== sizeBytes || sha256(bytes) !== digest)) return undefined;
  return { at, packagePurl, path, statement, blob: { sha256: digest, sizeBytes }, bytes };
}
