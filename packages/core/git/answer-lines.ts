import { GitFormatError } from './git-format-error.ts';
import type { Packet } from './pkt-line.ts';
import { remoteText } from './remote-text.ts';

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;
const ERR = Buffer.from('ERR ');

/** A line of a server's answer without the newline at its end (gitprotocol-common: senders should add one); undefined where it isn't UTF-8. */
export function lineOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes);
  } catch {
    return undefined;
  }
}

export type Packets = AsyncGenerator<Packet, void, undefined>;

/** Throws GitFormatError: `truncated` at the end, `remote-error` for an error packet (gitprotocol-pack: `ERR` and an explanation). */
export async function nextPacket(packets: Packets, where: string): Promise<Packet> {
  const { value: packet } = await packets.next();
  if (packet === undefined) throw new GitFormatError('truncated', `git server's answer: it ends within ${where}`);
  if (packet.type === 'data' && ERR.equals(packet.bytes.subarray(0, ERR.length))) throw remoteError(packet.bytes.subarray(ERR.length));
  return packet;
}

/** Throws GitFormatError `malformed` where anything follows. */
export async function endOf(packets: Packets, where: string): Promise<void> {
  const { value: packet } = await packets.next();
  if (packet !== undefined) throw unexpected(packet, `what follows ${where}`);
}

/** What the server gave as the reason why it stops. */
export function remoteError(explanation: Uint8Array): GitFormatError {
  const text = remoteText(explanation);
  return new GitFormatError('remote-error', `git server: ${text === '' ? 'an error without a word' : text}`, { remoteText: text });
}

/** What isn't understood, and where it stood. */
export function unexpected(packet: Packet, where: string): GitFormatError {
  const what = packet.type === 'data' ? JSON.stringify(remoteText(packet.bytes.subarray(0, 80))) : `a ${packet.type} packet`;
  return new GitFormatError('malformed', `git server's answer: ${what} in ${where}`);
}
