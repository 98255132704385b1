import { EcosystemError } from '@granary/contract/ecosystem';
import { parseSyml } from '@yarnpkg/parsers';
import { z } from 'zod';
import { acceptedDigests } from '../integrity.ts';
import { collectPins, isFolder, type Locked, type LockedPins, packageOfTarball } from './locked-pins.ts';

const Text = z.string().max(4096).optional();
/** yarn 1: `resolved` is an address with the sha1 after `#`. */
const ClassicEntry = z.object({ version: z.string().max(4096), resolved: Text, integrity: Text });
/** yarn 2 and later: `resolution` is a locator. Its checksum is that of yarn's own archive, not of the tarball. */
const BerryEntry = z.object({ resolution: z.string().max(4096) });
const MAX_LOCK_CHARACTERS = 64 * 2 ** 20;
/** No lock is indented deeper; the parser recurses. */
const DEEP_LINE = /^ {40,}/m;

export function pinsOfYarnLock(fileName: string, text: string): Locked {
  const lock = readLock(fileName, text);
  const pins = collectPins(fileName);
  const isBerry = Object.hasOwn(lock, '__metadata');
  for (const [key, value] of Object.entries(lock)) {
    if (key === '__metadata') continue;
    if (isBerry) addLocator(pins, read(fileName, { key, value, schema: BerryEntry }).resolution);
    else addClassic(pins, key, read(fileName, { key, value, schema: ClassicEntry }));
  }
  return pins.result();
}

function readLock(fileName: string, text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_LOCK_CHARACTERS || DEEP_LINE.test(text)) throw new EcosystemError('bad-spec', `${fileName}: no lock that yarn writes`);
  try {
    return parseSyml(text.replace(/\r\n/g, '\n'));
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n', 1)[0]?.slice(0, 200) ?? '') : '';
    throw new EcosystemError('bad-spec', `${fileName}: not a lock of yarn: ${why}`, { cause });
  }
}

/** `name@^1.0.0, name@^1.2.0`; `alias@npm:name@^1.0.0`. The address tells the package, also behind an alias. */
function addClassic(pins: LockedPins, key: string, { version, resolved, integrity }: z.output<typeof ClassicEntry>): void {
  const [pattern = ''] = key.split(', ', 1);
  const at = pattern.indexOf('@', 1);
  const [name, range] = at === -1 ? [pattern, ''] : [pattern.slice(0, at), pattern.slice(at + 1)];
  const [address = '', sha1 = ''] = (resolved ?? '').split('#', 2);
  const aliased = /^npm:((?:@[^/]+\/)?[^@]+)(?:@|$)/.exec(range)?.[1];
  const isAddress = address.includes(':');
  if (address === '' && isFolder(range)) return;
  // An offline mirror leaves only the file's name; a folder leaves nothing.
  if (isAddress ? packageOfTarball(address) === undefined : aliased === undefined && /[:/]/.test(range))
    pins.leaveOut(`${name}: ${address === '' ? range : address}`);
  else {
    const accepted = acceptedDigests(integrity);
    const bySha1 = /^[0-9a-f]{40}$/.test(sha1) ? [{ sha1 }] : [];
    pins.add((isAddress ? packageOfTarball(address) : aliased) ?? name, version, accepted.length > 0 ? accepted : bySha1);
  }
}

/** `name@npm:1.0.0`, with `::__archiveUrl=…` where the registry's address isn't the usual one. */
function addLocator(pins: LockedPins, locator: string): void {
  const at = locator.indexOf('@', 1);
  const [name, reference] = [locator.slice(0, at), locator.slice(at + 1)];
  // The project's own; and a patch lies in the project, what it is of has an entry of its own.
  if (/^(workspace|portal|patch):/.test(reference) || isFolder(reference)) return;
  const [, version, parameters] = /^npm:([^:]+)(?:::(.+))?$/.exec(reference) ?? [];
  const archive = new URLSearchParams(parameters ?? '').get('__archiveUrl');
  if (version === undefined || (archive !== null && packageOfTarball(archive) === undefined)) pins.leaveOut(`${name}: ${archive ?? reference}`);
  else pins.add(name, version, []);
}

interface Keyed<T> {
  readonly key: string;
  readonly value: unknown;
  readonly schema: z.ZodType<T>;
}

function read<T>(fileName: string, { key, value, schema }: Keyed<T>): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new EcosystemError('bad-spec', `${fileName}: ${JSON.stringify(key.slice(0, 200))}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
