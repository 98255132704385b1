/** One block of a tar to be made, with its data; whatever is given replaces what an honest writer would write. */
export interface TarPart {
  readonly name: string;
  readonly data?: string | Buffer;
  readonly typeflag?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly uname?: string;
  readonly gname?: string;
  readonly mtime?: number;
  readonly linkName?: string;
  readonly prefix?: string;
  readonly magic?: string;
  /** As stated in the header. */
  readonly sizeBytes?: number;
  /** Raw bytes of the size field. */
  readonly sizeField?: Buffer;
  readonly checksum?: number;
}

export function tarBytes(parts: readonly TarPart[], end: Buffer = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...parts.flatMap((part) => [tarHeader(part), padded(dataOf(part))]), end]);
}

/** A pax extended header for what follows it. */
export function paxPart(records: Readonly<Record<string, string>>, typeflag: 'x' | 'g' = 'x'): TarPart {
  const data = Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join('');
  return { name: 'PaxHeaders/entry', typeflag, data };
}

export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

export function tarHeader(part: TarPart): Buffer {
  const block = Buffer.alloc(512);
  block.write(part.name, 0, 100, 'utf8');
  block.write(octal(part.mode ?? 0o644, 8), 100, 'latin1');
  block.write(octal(part.uid ?? 0, 8), 108, 'latin1');
  block.write(octal(part.gid ?? 0, 8), 116, 'latin1');
  block.write(octal(part.sizeBytes ?? dataOf(part).length, 12), 124, 'latin1');
  part.sizeField?.copy(block, 124);
  block.write(octal(part.mtime ?? 1_700_000_000, 12), 136, 'latin1');
  block.write(part.typeflag ?? '0', 156, 'latin1');
  block.write(part.linkName ?? '', 157, 100, 'utf8');
  block.write(part.magic ?? 'ustar\u000000', 257, 'latin1');
  block.write(part.uname ?? '', 265, 32, 'utf8');
  block.write(part.gname ?? '', 297, 32, 'utf8');
  block.write(part.prefix ?? '', 345, 155, 'utf8');
  const sum = block.reduce((total, byte) => total + byte, 8 * 0x20);
  block.write(`${(part.checksum ?? sum).toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return block;
}

function dataOf({ data = '' }: TarPart): Buffer {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

function octal(value: number, length: number): string {
  return value.toString(8).padStart(length - 1, '0');
}
