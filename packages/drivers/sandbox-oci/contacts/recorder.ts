import { createSocket } from 'node:dgram';
import { openContactList } from './contact-list.ts';
import { openNameService } from './name-service.ts';
import { openPacketReader } from './packets.ts';

// Run by wrapper.sh in the network namespace of a run, outside of its container: standard input is what a packet socket on the loopback
// interface delivers, the argument what marks begin with. Says `contact {…}` of each and `recorded MARK LEFT-OUT` at every mark, a line
// each, shorter than PIPE_BUF: others write to the same pipe.
const [secret = ''] = process.argv.slice(2);
const ownNames: ReadonlySet<string> = new Set(['localhost', 'granary']);
const names = openNameService(ownNames);
const list = openContactList(names, ownNames, secret);
const readPackets = openPacketReader();
let lastMark = '';

const say = (line: string) => void process.stdout.write(`${line}\n`);
const server = createSocket('udp4');
server.on('message', (query, { address, port }) => {
  const answer = names.answer(query);
  // Whoever asked may be gone.
  if (answer !== undefined) server.send(answer, port, address, () => undefined);
});
server.bind(53, '127.0.0.1');

for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
  for (const packet of readPackets(chunk)) {
    const mark = list.see(packet);
    // Each is seen twice, going out and coming in, and sent again in case that it was lost.
    if (mark === undefined || mark === lastMark) continue;
    lastMark = mark;
    const { contacts, leftOut } = list.take();
    for (const contact of contacts) say(`contact ${JSON.stringify(contact)}`);
    say(`recorded ${mark} ${leftOut}`);
  }
}
