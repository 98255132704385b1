import type { ServerV2 } from './advertisement.ts';
import { endOf, lineOf, nextPacket, unexpected } from './answer-lines.ts';
import { type ObjectFormat, parseObjectId } from './object-id.ts';
import { encodePacket, encodeSpecial, type Packet, readPackets } from './pkt-line.ts';
import { type ListedRef, MAX_REFS_BYTES, type ReceivedRefs, RefCollector } from './ref-listing.ts';
import { commandStart } from './request.ts';

/** upload-pack forgets all prefixes when there are more than 65536; nobody needs a hundred. */
const MAX_PREFIXES = 100;
const WHERE = 'the list of refs';

/**
 * Body of the request for the refs whose names begin with one of `prefixes`, or for all (gitprotocol-v2, ls-refs). A prefix says nothing
 * of HEAD: name it. Servers may answer with more than was asked. Throws RangeError on a prefix with a line end, and on more than 100.
 */
export function lsRefsRequest(server: ServerV2, prefixes: readonly string[] = []): Uint8Array {
  if (prefixes.length > MAX_PREFIXES || prefixes.some((prefix) => /[\0\r\n]/.test(prefix))) throw new RangeError('ls-refs: prefixes of refs, at most 100');
  return Buffer.concat([
    ...commandStart(server, 'ls-refs'),
    encodePacket('peel\n'),
    encodePacket('symrefs\n'),
    ...(server.lsRefs.has('unborn') ? [encodePacket('unborn\n')] : []),
    ...prefixes.map((prefix) => encodePacket(`ref-prefix ${prefix}\n`)),
    encodeSpecial('flush'),
  ]);
}

/** Reads the answer to {@link lsRefsRequest}. Throws GitFormatError. */
export async function readLsRefs(
  stream: AsyncIterable<Uint8Array>,
  { objectFormat, maxRefs, maxBytes = MAX_REFS_BYTES }: { readonly objectFormat: ObjectFormat; readonly maxRefs?: number; readonly maxBytes?: number },
): Promise<ReceivedRefs> {
  const collector = new RefCollector(maxRefs);
  const packets = readPackets(stream, { maxBytes });
  try {
    for (;;) {
      const packet = await nextPacket(packets, WHERE);
      if (packet.type === 'flush') break;
      collector.add(refOf(packet, objectFormat));
    }
    await endOf(packets, WHERE);
  } finally {
    await packets.return();
  }
  return collector.listing();
}

/** `ref = (obj-id | "unborn") SP refname *(SP ref-attribute)`; attributes that nobody asked for are left alone. */
function refOf(packet: Packet, objectFormat: ObjectFormat): ListedRef {
  if (packet.type !== 'data') throw unexpected(packet, WHERE);
  const line = lineOf(packet.bytes);
  const [id = '', name, ...attributes] = (line ?? Buffer.from(packet.bytes).toString('latin1')).split(' ');
  const objectId = parseObjectId(id, objectFormat);
  if (name === undefined || (objectId === undefined && id !== 'unborn')) throw unexpected(packet, WHERE);
  const symbolic = attributes.find((attribute) => attribute.startsWith('symref-target:'))?.slice('symref-target:'.length);
  const peeled = attributes.find((attribute) => attribute.startsWith('peeled:'))?.slice('peeled:'.length);
  const peeledId = peeled === undefined ? undefined : parseObjectId(peeled, objectFormat);
  if (peeled !== undefined && peeledId === undefined) throw unexpected(packet, WHERE);
  return {
    name: line === undefined ? undefined : name,
    objectId,
    ...(symbolic === undefined ? {} : { symbolic }),
    ...(peeledId === undefined ? {} : { peeled: peeledId }),
  };
}
