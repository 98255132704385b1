import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const NUMBERS = { commit: 1, tree: 2, blob: 3, delta: 7 } as const;
const IDENTITY = 'A <a@maintainer.example> 1700000000 +0000';

/** An object of a pack (gitformat-pack(5)); what follows the base of a `delta` is its recipe. */
export interface RawObject {
  readonly type: keyof typeof NUMBERS;
  readonly bytes: Uint8Array;
  readonly base?: string;
}

/** A pack such as no git would write: nothing of it is checked. */
export function rawPack(objects: readonly RawObject[]): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  header.writeUInt32BE(objects.length, 8);
  const body = Buffer.concat([header, ...objects.map(entryOf)]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

export function idOf({ type, bytes }: RawObject): string {
  return createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
}

export function blobOf(text: string): RawObject {
  return { type: 'blob', bytes: Buffer.from(text) };
}

export function treeOf(...entries: readonly (readonly [mode: string, name: string, of: RawObject])[]): RawObject {
  const parts = entries.flatMap(([mode, name, of]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(idOf(of), 'hex')]);
  return { type: 'tree', bytes: Buffer.concat(parts) };
}

export function commitOf(tree: RawObject, message = 'one'): RawObject {
  return { type: 'commit', bytes: Buffer.from(`tree ${idOf(tree)}\nauthor ${IDENTITY}\ncommitter ${IDENTITY}\n\n${message}\n`) };
}

/** A few bytes that become `times` the base: each of its instructions copies all of it. */
export function copying(base: RawObject, times: number): RawObject {
  const size = base.bytes.length;
  const copy = Buffer.from([0xf0, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff]);
  const recipe = Buffer.concat([sizeBytes(size), sizeBytes(size * times), ...Array.from({ length: times }, () => copy)]);
  return { type: 'delta', base: idOf(base), bytes: recipe };
}

function entryOf({ type, bytes, base }: RawObject): Uint8Array {
  const rest = Math.floor(bytes.length / 16);
  const first = (NUMBERS[type] << 4) | (bytes.length % 16);
  const head = rest === 0 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 0x80]), sizeBytes(rest)]);
  return Buffer.concat([head, ...(base === undefined ? [] : [Buffer.from(base, 'hex')]), deflateSync(bytes)]);
}

/** Seven bits a byte, the lowest first. */
function sizeBytes(size: number): Uint8Array {
  const bytes: number[] = [];
  let rest = size;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
