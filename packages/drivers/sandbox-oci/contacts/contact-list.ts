import type { Contact } from '@granary/contract/ports';
import { type NameService, readQuestion } from './name-service.ts';
import type { Packet } from './packets.ts';

/** Contacts since the list was taken last; the machine itself is none. */
export interface ContactList {
  /** A packet that was seen. Returns what it says when it is the mark of whoever runs the list. */
  see(packet: Packet): string | undefined;
  take(): { readonly contacts: readonly Contact[]; readonly leftOut: number };
}

const MAX_CONTACTS = 100;
/** To tell those apart that are counted. */
const MAX_REMEMBERED = 10_000;
/** Discard (RFC 863): where marks are sent, because nobody listens there. */
const [MARK_PORT, DNS_PORT] = [9, 53];

/** A mark is a datagram to this machine that begins with `secret` and a blank: what was seen before it was sent before it. */
export function openContactList(names: Pick<NameService, 'nameOf'>, ownNames: ReadonlySet<string>, secret: string): ContactList {
  const found = new Map<string, Contact>();
  let beyond = 0;
  const add = (contact: Contact) => {
    const key = `${contact.protocol} ${contact.host} ${contact.port ?? ''}`;
    if (found.has(key)) return;
    if (found.size < MAX_REMEMBERED) found.set(key, contact);
    else beyond += 1;
  };
  const lookedUp = (name: string) => {
    if (!ownNames.has(name) && !/(^|\.)(localhost|arpa)$/.test(name)) add({ host: name, protocol: 'lookup' });
  };
  return {
    see(packet) {
      const { type, address, port } = packet;
      const isOwn = address.startsWith('127.') || address === '::1';
      // Queries are seen here and not where they are answered, which may be earlier; those to a name server of its own choice too.
      const asked = type === 'udp' && port === DNS_PORT ? readQuestion(packet.payload) : undefined;
      if (asked !== undefined) lookedUp(asked.name);
      if (!isOwn) add({ host: names.nameOf(address) ?? address, port, protocol: type });
      const said = isOwn && type === 'udp' && port === MARK_PORT ? packet.payload.toString('latin1') : '';
      return said.startsWith(`${secret} `) ? said.slice(secret.length + 1) : undefined;
    },
    take() {
      // That a name was looked up goes without saying when it was turned to.
      const turnedTo = new Set([...found.values()].flatMap(({ host, protocol }) => (protocol === 'lookup' ? [] : [host])));
      const all = [...found.values()].filter(({ host, protocol }) => protocol !== 'lookup' || !turnedTo.has(host));
      const taken = { contacts: all.slice(0, MAX_CONTACTS), leftOut: beyond + Math.max(0, all.length - MAX_CONTACTS) };
      found.clear();
      beyond = 0;
      return taken;
    },
  };
}
