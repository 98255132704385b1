import type { ServerV2 } from './advertisement.ts';
import { encodePacket, encodeSpecial } from './pkt-line.ts';

/** Begins a request of protocol v2: command, what was agreed on, delimiter. A client names only capabilities that the server advertised. */
export function commandStart({ advertisesAgent, advertisesObjectFormat, objectFormat }: ServerV2, command: 'ls-refs' | 'fetch'): readonly Uint8Array[] {
  return [
    encodePacket(`command=${command}\n`),
    ...(advertisesAgent ? [encodePacket(`agent=${AGENT}\n`)] : []),
    ...(advertisesObjectFormat ? [encodePacket(`object-format=${objectFormat}\n`)] : []),
    encodeSpecial('delimiter'),
  ];
}

export const AGENT = 'granary';
