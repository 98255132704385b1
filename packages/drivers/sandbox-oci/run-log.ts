import type { Readable } from 'node:stream';
import type { SandboxResult } from '@granary/contract/ports';

/** Keeps the first bytes of a stream and reads on, so that who writes is never held up by us. */
export async function readLog(stream: Readable, maxBytes: number): Promise<SandboxResult['log']> {
  const parts: Uint8Array[] = [];
  let kept = 0;
  let truncated = false;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    const part = chunk.subarray(0, maxBytes - kept);
    truncated ||= part.length < chunk.length;
    kept += part.length;
    if (part.length > 0) parts.push(part);
  }
  return { text: new TextDecoder().decode(Buffer.concat(parts)), truncated };
}
