import { ArchiveError, type GzipHeader, gunzip } from '@granary/core/archive';
import { toInstant } from '@granary/core/model';
import { minVersion } from 'semver';
import { NODE } from '../toolchain.ts';
import type { Compressor } from './recipe.ts';
import { formatTool } from './tool-requirement.ts';
import { requirementsOfDay, type ToolchainOfDay } from './toolchain-of-day.ts';

/**
 * The last line of Node whose zlib is the plain one on x86-64 too: since 12.17 it is Chromium's, whose deflate finds other matches there. On other machines, such as those many people
 * publish from, what newer ones write is as the plain one does.
 */
const PLAIN: Compressor = { compressor: 'plain', zlib: formatTool({ name: NODE, range: '^10', asOf: toInstant(Date.UTC(2021, 4, 1)) }) };
const FIRST_OTHER_MAJOR = 12;

/** How a tarball says that it was compressed (RFC 1952 2.3.1; deflateInit2 of zlib, which writes the level into XFL). */
export interface Compression {
  readonly level: number;
  readonly system: number;
}

/** Undefined for what neither npm nor any other packer by Node writes: several members, a time, a name. */
export function compressionOf(published: Uint8Array): Compression | undefined {
  const [header, ...others] = headersOf(published);
  if (header === undefined || others.length > 0 || header.mtime !== 0 || header.textFlag) return undefined;
  if (header.name !== undefined || header.comment !== undefined || header.extra !== undefined) return undefined;
  return { level: levelOf(header.extraFlags), system: header.operatingSystem };
}

function headersOf(published: Uint8Array): readonly GzipHeader[] {
  try {
    return gunzip(published).headers;
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}

/** Between the lowest and the highest it doesn't say: zlib's default. */
function levelOf(extraFlags: number): number {
  return extraFlags === 2 ? 9 : extraFlags === 4 ? 1 : 6;
}

/** Compressors that may have written what the packer's own didn't, the likelier first: newer npm packs with level 9, and the machines that aren't x86-64 are newer too. */
export function compressorsOf(compression: Compression, day: ToolchainOfDay | undefined): readonly Compressor[] {
  if (day === undefined) return [PLAIN];
  const ofDay: Compressor = { compressor: 'day', zlib: requirementsOfDay(day).node };
  if ((minVersion(day.node.range)?.major ?? 0) < FIRST_OTHER_MAJOR) return [ofDay];
  return compression.level === 9 ? [PLAIN, ofDay] : [ofDay, PLAIN];
}
