import type { Readable } from 'node:stream';
import type { SandboxLimits, SandboxResult } from '@granary/contract/ports';
import { extract, type Header } from 'tar-stream';
import { pump } from './pump.ts';

export interface Collected {
  readonly outputs: SandboxResult['outputs'];
  readonly refused: SandboxResult['refused'];
  /** Whether the rest was left unread. */
  readonly isCutOff: boolean;
}

/**
 * Reads the tar of the outputs. Untrusted input: its names, types, modes and sizes are of foreign making, though a tar of ours wrote it.
 * What is no plain file is refused and the rest kept; reading stops at the first entry beyond a limit, which is refused too.
 */
export async function collectOutputs(tar: Readable, { outputBytes, outputFiles }: Pick<SandboxLimits, 'outputBytes' | 'outputFiles'>): Promise<Collected> {
  const outputs: { path: string; bytes: Uint8Array }[] = [];
  const refused: { path: string; why: string }[] = [];
  let bytesLeft = outputBytes;
  let beyond: string | undefined;
  const entries = extract();
  pump(tar, entries).catch((cause: unknown) => entries.destroy(cause instanceof Error ? cause : undefined));
  for await (const entry of entries) {
    const { name, type, size } = entry.header;
    const path = name.replace(/^\.\//, '').replace(/\/$/, '');
    const why = type === 'directory' ? undefined : refusal(entry.header, path);
    const isTaken = type !== 'directory' && why === undefined;
    if (why !== undefined) refused.push({ path: shown(path), why });
    if (outputs.length + refused.length >= outputFiles + (isTaken ? 0 : 1)) beyond = `more than ${outputFiles} entries`;
    else if (isTaken && size > bytesLeft) beyond = `more than ${outputBytes} bytes of outputs`;
    if (beyond !== undefined) {
      refused.push({ path: shown(path), why: beyond });
      break;
    }
    if (isTaken) outputs.push({ path, bytes: await readEntry(entry) });
    else entry.resume();
    bytesLeft -= isTaken ? size : 0;
  }
  tar.destroy();
  return { outputs: outputs.sort(byPath), refused: refused.sort(byPath), isCutOff: beyond !== undefined };
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/** Why an entry is not taken; undefined when it may be. */
function refusal({ type, mode }: Header, path: string): string | undefined {
  // U+FFFD stands where the decoder met what is not UTF-8.
  if (/[\p{Cc}\\\ufffd]/u.test(path)) return 'a name that other systems read differently';
  switch (type) {
    case 'file':
      return (mode & 0o6000) === 0 ? undefined : 'set-user-id or set-group-id';
    case 'symlink':
      return 'symbolic link';
    case 'link':
      return 'hard link';
    case 'fifo':
      return 'named pipe';
    default:
      return `no regular file (${type})`;
  }
}

async function readEntry(entry: AsyncIterable<unknown>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of entry) if (part instanceof Uint8Array) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

function shown(path: string): string {
  return path.replace(/\p{Cc}/gu, '?').slice(0, 300);
}
