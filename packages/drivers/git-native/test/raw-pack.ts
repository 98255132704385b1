import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4, delta: 7 } as const;

/** An object as it lies in a pack; `delta` is what follows the id of its base (gitformat-pack(5), OBJ_REF_DELTA). */
export type RawObject =
  | { readonly type: 'commit' | 'tree' | 'blob' | 'tag'; readonly bytes: Uint8Array }
  | { readonly type: 'delta'; readonly base: string; readonly bytes: Uint8Array };

/** Any pack at all, with what no git would write. `states` lies about the number of objects. */
export function rawPack(objects: readonly RawObject[], states: number = objects.length): Uint8Array {
  const header = Buffer.alloc(12);
  header.write('PACK');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(states, 8);
  const body = Buffer.concat([header, ...objects.map(entryOf)]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

export function idOf(type: 'commit' | 'tree' | 'blob' | 'tag', bytes: Uint8Array): string {
  return createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
}

export function treeOf(entries: readonly (readonly [mode: string, name: string, id: string])[]): RawObject & { readonly type: 'tree' } {
  return { type: 'tree', bytes: Buffer.concat(entries.map(([mode, name, id]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]))) };
}

export function commitOf(
  tree: string,
  more: { readonly author?: string; readonly parent?: string; readonly message?: string } = {},
): RawObject & { readonly type: 'commit' } {
  const { author = 'A <a@upstream.example> 1700000000 +0000', parent, message = 'm' } = more;
  const parents = parent === undefined ? '' : `parent ${parent}\n`;
  return { type: 'commit', bytes: Buffer.from(`tree ${tree}\n${parents}author ${author}\ncommitter A <a@upstream.example> 1700000000 +0000\n\n${message}\n`) };
}

export function blobOf(text: string): RawObject & { readonly type: 'blob' } {
  return { type: 'blob', bytes: Buffer.from(text) };
}

/** Copies the first `size` bytes of a base of `baseSize` bytes `times` over: some bytes that become many. */
export function copyingDelta(baseSize: number, size: number, times: number): Uint8Array {
  // Copy from offset 0, with three bytes of size.
  const copy = Buffer.from([0xf0, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff]);
  return Buffer.concat([lengthOf(baseSize), lengthOf(size * times), ...Array.from({ length: times }, () => copy)]);
}

function entryOf(object: RawObject): Uint8Array {
  const base = object.type === 'delta' ? [Buffer.from(object.base, 'hex')] : [];
  return Buffer.concat([
    typeAndLength(TYPES[object.type], object.bytes.length),
    ...base,
    deflateSync(object.bytes, { level: object.bytes.length > 1000 ? 1 : 0 }),
  ]);
}

function typeAndLength(type: number, length: number): Uint8Array {
  const rest = Math.floor(length / 16);
  const first = (type << 4) | (length % 16);
  return rest === 0 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 0x80]), lengthOf(rest)]);
}

/** Seven bits a byte, the lowest first. */
function lengthOf(length: number): Uint8Array {
  const bytes: number[] = [];
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
