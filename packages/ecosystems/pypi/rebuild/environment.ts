import type { Parameter } from '@granary/contract/ecosystem';
import type { SdistEvidence } from './sdist-evidence.ts';
import type { SourceTree } from './source-tree.ts';
import { zoneOf } from './time-zone.ts';
import type { WheelEvidence } from './wheel-evidence.ts';
import { isDefaultStamp } from './zip-stamps.ts';

/** What the publisher's machine was like, as far as the artifact shows it. */
export interface PublisherEnvironment {
  readonly umask: string;
  readonly timeZone: string;
  readonly epoch: string;
  readonly clock: string;
  readonly windows: boolean;
  readonly parameters: readonly Parameter[];
}

export function wheelEnvironment(wheel: WheelEvidence, tree: SourceTree): PublisherEnvironment {
  const umask = umaskOf(wheel.metadataMode);
  const timeZone = zoneOf(wheel, tree) ?? 'UTC';
  const { epoch, clock } = timesOf(wheel);
  const windows = wheel.madeOn === 'windows' && wheel.hasCrlf;
  const parameters: Parameter[] = [];
  if (umask !== '022') parameters.push({ name: 'umask', value: umask, from: 'zip mode of METADATA' });
  if (timeZone !== 'UTC') parameters.push({ name: 'TZ', value: timeZone, from: 'zip time stamps against those in the source archive' });
  if (epoch !== '') parameters.push({ name: 'SOURCE_DATE_EPOCH', value: epoch, from: 'the one time stamp of all zip entries' });
  if (clock !== '') parameters.push({ name: 'clock', value: clock, from: 'latest zip time stamp' });
  if (windows) parameters.push({ name: 'platform', value: 'windows', from: 'zip system and line endings of METADATA' });
  return { umask, timeZone, epoch, clock, windows, parameters };
}

/** Of a source archive: tools give its entries the times of files, which a commit has none of, unless they are told one for all. */
export function sdistEnvironment({ metadataMode, stamp, packedAt }: SdistEvidence): PublisherEnvironment {
  const umask = umaskOf(metadataMode);
  const epoch = stamp === undefined || isDefaultStamp(stamp) ? '' : String(stamp);
  const clock = stamp !== undefined || packedAt === undefined ? '' : String(packedAt);
  const parameters: Parameter[] = [];
  if (umask !== '022') parameters.push({ name: 'umask', value: umask, from: 'mode of PKG-INFO' });
  if (epoch !== '') parameters.push({ name: 'SOURCE_DATE_EPOCH', value: epoch, from: 'the one time stamp of all entries' });
  if (clock !== '') parameters.push({ name: 'clock', value: clock, from: 'time stamp of the archive' });
  return { umask, timeZone: 'UTC', epoch, clock, windows: false, parameters };
}

/** What METADATA or PKG-INFO, created with 0666, was left with. Backends that set modes themselves write 0644: the usual umask. */
function umaskOf(metadataMode: number): string {
  if (metadataMode === 0 || (metadataMode & 0o600) !== 0o600) return '022';
  // Write bits alone are unknown for execution: a umask takes both or none.
  const masked = 0o666 & ~metadataMode;
  return (masked | ((masked & 0o044) === 0o044 ? 0o011 : (masked & 0o040) !== 0 ? 0o010 : (masked & 0o004) !== 0 ? 0o001 : 0)).toString(8).padStart(3, '0');
}

/** One stamp on everything: SOURCE_DATE_EPOCH was set, or it makes no difference. Several: files kept their times, and what the build made bears its own. */
function timesOf({ stamps }: WheelEvidence): { readonly epoch: string; readonly clock: string } {
  if (stamps.uniform !== undefined) return { epoch: isDefaultStamp(stamps.uniform) ? '' : String(stamps.uniform), clock: '' };
  return { epoch: '', clock: stamps.latest === undefined ? '' : String(stamps.latest) };
}
