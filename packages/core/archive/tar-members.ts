import { ArchiveError } from './archive-error.ts';
import type { ArchiveLimits } from './limits.ts';
import { type PaxRecord, parsePax, paxNumber } from './pax.ts';
import { BLOCK_BYTES, isZero, parseTarHeader, type RawTarHeader } from './tar-header.ts';

/** A header with the extended headers before it, and the data behind it. */
export interface TarMember {
  readonly header: RawTarHeader;
  /** Global records first. */
  readonly pax: readonly PaxRecord[];
  readonly longName: Buffer | undefined;
  readonly longLinkName: Buffer | undefined;
  readonly data: Buffer;
}

/** Of one extended header. Larger ones hold extended attributes, which no package needs. */
const MAX_EXTENSION_BYTES = 1024 * 1024;

interface Extensions {
  readonly pax?: readonly PaxRecord[];
  readonly longName?: Buffer;
  readonly longLinkName?: Buffer;
}

/**
 * Walks the members of a tar up to its end mark. Readers differ on what they do with bytes behind it, with extended
 * headers that nothing follows and with sizes stated twice: whatever one could see and another not is refused.
 */
export function* tarMembers(tar: Buffer, limits: ArchiveLimits): Generator<TarMember> {
  let global: readonly PaxRecord[] = [];
  let pending: Extensions = {};
  let extensions = 0;
  let at = 0;
  while (at < tar.length) {
    const block = blockAt(tar, at);
    if (isZero(block)) break;
    const header = parseTarHeader(block);
    const isExtension = 'xgLK'.includes(header.typeflag);
    const size = isExtension ? header.size : (paxNumber([...global, ...(pending.pax ?? [])], 'size') ?? header.size);
    const data = dataAt(tar, at + BLOCK_BYTES, size);
    at += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    if (isExtension) {
      extensions += 1;
      // Extended headers are no entries, yet each costs as much.
      if (extensions > 2 * limits.maxEntries) throw new ArchiveError('too-many-entries', `tar: more than ${2 * limits.maxEntries} extended headers`);
      if (size > MAX_EXTENSION_BYTES)
        throw new ArchiveError('entry-too-large', `tar: an extended header of ${size} bytes, at most ${MAX_EXTENSION_BYTES} are read`);
      if (header.typeflag === 'g') global = mergedGlobal(global, parsePax(data));
      else pending = withExtension(pending, header.typeflag, data, limits);
      continue;
    }
    yield { header, pax: [...global, ...(pending.pax ?? [])], longName: pending.longName, longLinkName: pending.longLinkName, data };
    pending = {};
  }
  if (Object.keys(pending).length > 0) throw new ArchiveError('malformed', 'tar: an extended header that no entry follows');
  if (!isZero(tar.subarray(at))) throw new ArchiveError('hidden-data', 'tar: bytes after its end mark');
}

function withExtension(pending: Extensions, typeflag: string, data: Buffer, limits: ArchiveLimits): Extensions {
  const twice = (): ArchiveError => new ArchiveError('headers-disagree', 'tar: two extended headers of a kind before one entry');
  if (typeflag === 'x') {
    if (pending.pax !== undefined) throw twice();
    return { ...pending, pax: parsePax(data) };
  }
  if (data.length > limits.maxPathBytes + 1)
    throw new ArchiveError('path-too-long', `tar: a name of ${data.length} bytes, at most ${limits.maxPathBytes} are read`);
  const end = data.indexOf(0);
  const text = end === -1 ? data : data.subarray(0, end);
  if (typeflag === 'L') {
    if (pending.longName !== undefined) throw twice();
    return { ...pending, longName: text };
  }
  if (pending.longLinkName !== undefined) throw twice();
  return { ...pending, longLinkName: text };
}

/** A later global header overrides earlier ones key by key; keeping each key once keeps entries small. */
function mergedGlobal(earlier: readonly PaxRecord[], later: readonly PaxRecord[]): readonly PaxRecord[] {
  return [...new Map([...earlier, ...later])];
}

function blockAt(tar: Buffer, at: number): Buffer {
  if (at + BLOCK_BYTES > tar.length) throw new ArchiveError('truncated', 'tar: it ends within a header');
  return tar.subarray(at, at + BLOCK_BYTES);
}

function dataAt(tar: Buffer, at: number, size: number): Buffer {
  if (size < 0) throw new ArchiveError('malformed', 'tar: an entry of negative size');
  if (at + size > tar.length) throw new ArchiveError('truncated', `tar: an entry of ${size} bytes, ${Math.max(0, tar.length - at)} are there`);
  return tar.subarray(at, at + size);
}
