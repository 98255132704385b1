import { endOf, lineOf, nextPacket, type Packets, unexpected } from './answer-lines.ts';
import { GitFormatError } from './git-format-error.ts';
import { type ObjectFormat, type ObjectId, parseObjectFormat, parseObjectId } from './object-id.ts';
import { type Packet, readPackets } from './pkt-line.ts';
import { MAX_REFS_BYTES, type ReceivedRefs, RefCollector } from './ref-listing.ts';
import { remoteText } from './remote-text.ts';

/** A server that speaks protocol v2 (gitprotocol-v2): refs are asked for. */
export interface ServerV2 {
  readonly version: 2;
  readonly objectFormat: ObjectFormat;
  /** Features of its `ls-refs` command, such as `unborn`. */
  readonly lsRefs: ReadonlySet<string>;
  /** Features of its `fetch` command, such as `shallow` and `filter`. */
  readonly fetch: ReadonlySet<string>;
  readonly advertisesAgent: boolean;
  readonly advertisesObjectFormat: boolean;
}
/** A server that speaks v0 or v1 (gitprotocol-pack): its refs come at once. */
export interface ServerV0 {
  readonly version: 0;
  readonly objectFormat: ObjectFormat;
  readonly capabilities: ReadonlySet<string>;
  readonly listed: ReceivedRefs;
}
export type GitServer = ServerV2 | ServerV0;

const MAX_CAPABILITIES = 256;
const WHERE = 'what the server announces';
const NUL = 0;
const PEELED = '^{}';

/**
 * Reads what `GET <repository>/info/refs?service=git-upload-pack` answers (gitprotocol-http), asked with `Git-Protocol: version=2`. Throws
 * GitFormatError, `unsupported` for a shallow repository. A dumb server's list is `malformed` or `truncated`: its media type tells it before.
 */
export async function readAdvertisement(
  stream: AsyncIterable<Uint8Array>,
  { maxRefs, maxBytes = MAX_REFS_BYTES }: { readonly maxRefs?: number; readonly maxBytes?: number } = {},
): Promise<GitServer> {
  const packets = readPackets(stream, { maxBytes });
  try {
    const first = await firstPacket(packets);
    const text = first.type === 'data' ? lineOf(first.bytes) : undefined;
    if (text === 'version 2') return serverV2(await readCapabilities(packets));
    return await readOlder(text === 'version 1' ? await nextPacket(packets, WHERE) : first, packets, new RefCollector(maxRefs));
  } finally {
    await packets.return();
  }
}

/** The first packet after the announcement of the service, which v2 may do without. */
async function firstPacket(packets: Packets): Promise<Packet> {
  const packet = await nextPacket(packets, WHERE);
  if (packet.type !== 'data' || lineOf(packet.bytes) !== '# service=git-upload-pack') return packet;
  const end = await nextPacket(packets, WHERE);
  if (end.type !== 'flush') throw unexpected(end, WHERE);
  return await nextPacket(packets, WHERE);
}

/** gitprotocol-v2, Capability Advertisement: `key[=value]`. The first of two of one name counts. */
async function readCapabilities(packets: Packets): Promise<ReadonlyMap<string, string>> {
  const capabilities = new Map<string, string>();
  for (let count = 0; ; count += 1) {
    const packet = await nextPacket(packets, WHERE);
    if (packet.type === 'flush') break;
    if (count === MAX_CAPABILITIES) throw new GitFormatError('too-many', `git server: more than ${MAX_CAPABILITIES} capabilities`);
    const line = packet.type === 'data' ? lineOf(packet.bytes) : undefined;
    const [, key, value = ''] = /^([A-Za-z0-9_-]+)(?:=(.*))?$/.exec(line ?? '') ?? [];
    if (key === undefined) throw unexpected(packet, WHERE);
    if (!capabilities.has(key)) capabilities.set(key, value);
  }
  await endOf(packets, WHERE);
  return capabilities;
}

function serverV2(capabilities: ReadonlyMap<string, string>): ServerV2 {
  const lsRefs = capabilities.get('ls-refs');
  const fetching = capabilities.get('fetch');
  if (lsRefs === undefined || fetching === undefined) throw new GitFormatError('unsupported', 'git server: it neither lists refs nor lets fetch');
  return {
    version: 2,
    objectFormat: objectFormatOf(capabilities.get('object-format')),
    lsRefs: new Set(lsRefs.split(' ')),
    fetch: new Set(fetching.split(' ')),
    advertisesAgent: capabilities.has('agent'),
    advertisesObjectFormat: capabilities.has('object-format'),
  };
}

function objectFormatOf(advertised = 'sha1'): ObjectFormat {
  const format = parseObjectFormat(advertised);
  if (format === undefined) throw new GitFormatError('unsupported', `git server: objects of format ${JSON.stringify(remoteText(Buffer.from(advertised)))}`);
  return format;
}

/** gitprotocol-pack, Reference Discovery. `HEAD` comes first, and a tag's `^{}` after the tag. */
async function readOlder(first: Packet, packets: Packets, collector: RefCollector): Promise<ServerV0> {
  const capabilities = capabilitiesOf(first);
  const objectFormat = objectFormatOf([...capabilities].find((text) => text.startsWith('object-format='))?.slice('object-format='.length));
  const symbolic = [...capabilities].find((text) => text.startsWith('symref=HEAD:'))?.slice('symref=HEAD:'.length);
  for (let packet = first; packet.type !== 'flush'; packet = await nextPacket(packets, WHERE)) {
    const { name, objectId } = olderRef(packet, objectFormat);
    if (objectId === undefined) continue;
    if (name?.endsWith(PEELED)) collector.peel(name.slice(0, -PEELED.length), objectId);
    else collector.add({ name, objectId, ...(name === 'HEAD' && symbolic !== undefined ? { symbolic } : {}) });
  }
  await endOf(packets, WHERE);
  return { version: 0, objectFormat, capabilities, listed: collector.listing() };
}

function capabilitiesOf(first: Packet): ReadonlySet<string> {
  const end = first.type === 'data' ? first.bytes.indexOf(NUL) : -1;
  const texts = first.type === 'data' && end !== -1 ? (lineOf(first.bytes.subarray(end + 1)) ?? '').split(' ') : [];
  if (texts.length > MAX_CAPABILITIES) throw new GitFormatError('too-many', `git server: more than ${MAX_CAPABILITIES} capabilities`);
  return new Set(texts);
}

/** `obj-id SP refname`, of the first the part before NUL; without an id where it only carries the capabilities of an empty repository. */
function olderRef(packet: Packet, objectFormat: ObjectFormat): { readonly name: string | undefined; readonly objectId: ObjectId | undefined } {
  if (packet.type !== 'data') throw unexpected(packet, WHERE);
  const end = packet.bytes.indexOf(NUL);
  const bytes = end === -1 ? packet.bytes : packet.bytes.subarray(0, end);
  const [, id = '', rest = ''] = /^([0-9a-f]+) (.+)$/s.exec(Buffer.from(bytes).toString('latin1').trimEnd()) ?? [];
  const objectId = parseObjectId(id, objectFormat);
  if (/^shallow /.test(Buffer.from(bytes.subarray(0, 8)).toString('latin1'))) throw new GitFormatError('unsupported', 'git server: its repository is shallow');
  if (objectId === undefined && !(/^0+$/.test(id) && rest === `capabilities${PEELED}`)) throw unexpected(packet, WHERE);
  return { name: lineOf(bytes)?.slice(id.length + 1), objectId };
}
