import { describe, expect, it } from 'vitest';
import { openContactList } from './contact-list.ts';
import { openNameService, readQuestion } from './name-service.ts';
import { openPacketReader, type Packet } from './packets.ts';

const OWN = new Set(['localhost', 'granary']);

describe('packets of the loopback interface', () => {
  it('are told apart however they are cut, and only what opens a connection counts', () => {
    const stream = Buffer.concat([tcp('192.0.2.7', 443, SYN), tcp('192.0.2.7', 443, SYN | ACK), udp('198.18.0.1', 53, 'query'), tcp('2001:db8::7', 80, SYN)]);
    const expected = [
      { type: 'tcp', address: '192.0.2.7', port: 443 },
      { type: 'udp', address: '198.18.0.1', port: 53, payload: Buffer.from('query') },
      { type: 'tcp', address: '2001:db8::7', port: 80 },
    ];

    expect(openPacketReader()(stream)).toEqual(expected);
    const read = openPacketReader();
    expect([...stream].flatMap((byte) => read(Uint8Array.of(byte)))).toEqual(expected);
  });

  it('that say lengths which they can not have end nothing, and what is no IP packet ends the reading', () => {
    const short = tcp('192.0.2.7', 443, SYN);
    short.writeUInt16BE(0, 16);
    const truncated = udp('192.0.2.7', 53, '').subarray(0, 14 + 24);
    truncated.writeUInt16BE(24, 16);

    expect(openPacketReader()(short.subarray(0, 34))).toEqual([]);
    expect(openPacketReader()(truncated)).toEqual([]);
    expect(() => openPacketReader()(Buffer.alloc(64, 1))).toThrow('type 0x101');
  });
});

describe('the name service', () => {
  it('gives every name an address of its own, the same each time', () => {
    const names = openNameService(OWN);

    const [first, again, other] = [
      addressIn(names.answer(query('A.Example'))),
      addressIn(names.answer(query('a.example'))),
      addressIn(names.answer(query('b.example'))),
    ];

    expect([first, again, other]).toEqual(['198.18.0.1', '198.18.0.1', '198.18.0.2']);
    expect([names.nameOf('198.18.0.2'), names.nameOf('198.18.0.3')]).toEqual(['b.example', undefined]);
  });

  it('answers with this machine for its own names, with nothing for other types, and knows no addresses by name', () => {
    const names = openNameService(OWN);

    expect(addressIn(names.answer(query('granary')))).toBe('127.0.0.1');
    expect(names.answer(query('a.example', 28))?.subarray(2, 8)).toEqual(Buffer.from([0x81, 0x80, 0, 1, 0, 0]));
    expect((names.answer(query('7.2.0.192.in-addr.arpa', 12))?.[3] ?? 0) & 0x0f).toBe(3);
  });

  it('knows no more names than an install has', () => {
    const names = openNameService(OWN);
    for (let number = 0; number < 20_000; number += 1) names.answer(query(`host-${number}.example`));

    expect((names.answer(query('one-more.example'))?.[3] ?? 0) & 0x0f).toBe(3);
    expect(names.nameOf('198.18.78.32')).toBe('host-19999.example');
  });

  it.each([
    ['too short', Buffer.alloc(16)],
    ['too long', Buffer.concat([query('a.example'), Buffer.alloc(4096)])],
    ['a response', Buffer.from(query('a.example')).fill(0x80, 2, 3)],
    ['of two questions', Buffer.from(query('a.example')).fill(2, 5, 6)],
    ['a compressed name', Buffer.concat([query('a').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])],
    ['an endless name', Buffer.concat([query('a').subarray(0, 12), Buffer.alloc(400, 63)])],
    ['a name that is cut off', query('a.example').subarray(0, 20)],
    ['of the root', query('')],
  ])('reads no question that is %s', (_, bytes) => {
    expect(readQuestion(bytes)).toBeUndefined();
  });

  it('takes nothing from a name that a line or a screen could take amiss', () => {
    expect(readQuestion(query('a\nb "c".exämple'))?.name).toBe('a?b??c?.ex?mple');
  });
});

describe('a list of contacts', () => {
  const to = (address: string, port = 443): Packet => ({ type: 'tcp', address, port });
  const datagram = (address: string, port: number, payload: string | Uint8Array): Packet => ({ type: 'udp', address, port, payload: Buffer.from(payload) });

  it('is taken at the marks of whoever has the secret', () => {
    const list = openContactList({ nameOf: () => undefined }, OWN, 'secret');

    expect(list.see(to('192.0.2.7'))).toBeUndefined();
    expect(list.see(datagram('127.0.0.1', 9, 'guess 1'))).toBeUndefined();
    expect(list.see(datagram('192.0.2.7', 9, 'secret 1'))).toBeUndefined();
    expect(list.see(datagram('127.0.0.1', 9, 'secret 1'))).toBe('1');
    expect(list.take().contacts.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual(['tcp 443', 'udp 9']);
    expect(list.take()).toEqual({ contacts: [], leftOut: 0 });
  });

  it('holds ten thousand, names a hundred and counts the others', () => {
    const list = openContactList({ nameOf: () => undefined }, OWN, 'secret');
    for (let port = 1; port <= 10_050; port += 1) list.see(to('192.0.2.7', port));

    const { contacts, leftOut } = list.take();

    expect([contacts.length, leftOut]).toEqual([100, 9950]);
  });
});

const [SYN, ACK] = [0x02, 0x10];

function tcp(address: string, port: number, flags: number): Buffer {
  const segment = Buffer.alloc(20);
  segment.writeUInt16BE(port, 2);
  segment.writeUInt8(flags, 13);
  return packet(address, 6, segment);
}

function udp(address: string, port: number, payload: string): Buffer {
  const datagram = Buffer.alloc(8 + payload.length);
  datagram.writeUInt16BE(port, 2);
  datagram.write(payload, 8);
  return packet(address, 17, datagram);
}

function packet(address: string, protocol: number, payload: Buffer): Buffer {
  const isFour = address.includes('.');
  const header = Buffer.alloc(14 + (isFour ? 20 : 40));
  header.writeUInt16BE(isFour ? 0x0800 : 0x86dd, 12);
  header.writeUInt8(isFour ? 0x45 : 0x60, 14);
  header.writeUInt16BE(isFour ? 20 + payload.length : payload.length, 14 + (isFour ? 2 : 4));
  header.writeUInt8(protocol, 14 + (isFour ? 9 : 6));
  const bytes = isFour ? address.split('.').map(Number) : [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
  Buffer.from(bytes).copy(header, 14 + (isFour ? 16 : 24));
  return Buffer.concat([header, payload]);
}

function query(name: string, type = 1): Buffer {
  const labels = name.split('.').flatMap((label) => (label === '' ? [] : [Buffer.of(label.length), Buffer.from(label, 'latin1')]));
  return Buffer.concat([Buffer.from([0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

function addressIn(response: Uint8Array | undefined): string {
  return [...(response ?? []).slice(-4)].join('.');
}
