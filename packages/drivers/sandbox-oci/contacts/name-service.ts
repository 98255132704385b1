/** Answers for every name with an address of its own, so that whoever turns to the address is known to have meant the name. */
export interface NameService {
  /** The response to a query (RFC 1035 4.1); undefined when it is none. Untrusted. */
  answer(query: Uint8Array): Uint8Array | undefined;
  /** The name that an address was given out for. */
  nameOf(address: string): string | undefined;
}

const HEADER_BYTES = 12;
const MAX_QUERY_BYTES = 4096;
/** More than any install asks for. Later ones don't exist. */
const MAX_NAMES = 20_000;
const [TYPE_A, CLASS_IN] = [1, 1];
const [NO_ERROR, NAME_ERROR] = [0, 3];
/** A pointer to the question's name (RFC 1035 4.1.4), type A, class IN, 0 seconds, 4 bytes. */
const ANSWER_HEAD = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, CLASS_IN, 0, 0, 0, 0, 0, 4]);

/** `ownNames` are this machine itself. Addresses are of 198.18.0.0/15, which nobody has (RFC 2544 C.2.2). */
export function openNameService(ownNames: ReadonlySet<string>): NameService {
  const addresses = new Map<string, string>();
  const names = new Map<string, string>();
  const addressOf = (name: string): string | undefined => {
    if (ownNames.has(name) || name.endsWith('.localhost')) return '127.0.0.1';
    const known = addresses.get(name);
    if (known !== undefined || names.size >= MAX_NAMES) return known;
    const number = names.size + 1;
    const address = `198.${18 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff}`;
    addresses.set(name, address);
    names.set(address, name);
    return address;
  };
  return {
    nameOf: (address) => names.get(address),
    answer(query) {
      const question = readQuestion(query);
      if (question === undefined) return undefined;
      const address = question.name.endsWith('.arpa') ? undefined : addressOf(question.name);
      return respond(query, question, address);
    },
  };
}

export interface Question {
  /** Lower case, without the final dot; whatever isn't of a host name is `?`. */
  readonly name: string;
  readonly type: number;
  readonly endsAt: number;
}

/** The one question of a query. Names in it are not compressed: there is nothing before to point to. */
export function readQuestion(query: Uint8Array): Question | undefined {
  const bytes = Buffer.from(query.buffer, query.byteOffset, query.byteLength);
  if (bytes.length < HEADER_BYTES + 5 || bytes.length > MAX_QUERY_BYTES) return undefined;
  // RFC 1035 4.1.1: QR is 0 and QDCOUNT is 1.
  if ((bytes.readUInt8(2) & 0x80) !== 0 || bytes.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = bytes[at] ?? 0; length !== 0; length = bytes[at] ?? 0) {
    // RFC 1035 2.3.4: labels of 63 bytes, names of 255.
    if (length > 63 || at + 1 + length - HEADER_BYTES > 254) return undefined;
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  if (at + 5 > bytes.length || labels.length === 0) return undefined;
  const name = labels
    .join('.')
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '?');
  return { name, type: bytes.readUInt16BE(at + 1), endsAt: at + 5 };
}

/** Only addresses of version 4 are given out: clients that ask for others, or for anything else, are told that there is none. */
function respond(query: Uint8Array, { type, endsAt }: Question, address: string | undefined): Uint8Array {
  const isAnswered = type === TYPE_A && address !== undefined;
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  // RFC 1035 4.1.1: a response, recursion desired as in the query and available.
  header.writeUInt8(0x80 | (header.readUInt8(2) & 0x01), 2);
  header.writeUInt8(0x80 | (address === undefined ? NAME_ERROR : NO_ERROR), 3);
  for (const [at, count] of [1, isAnswered ? 1 : 0, 0, 0].entries()) header.writeUInt16BE(count, 4 + 2 * at);
  const answer = isAnswered ? [ANSWER_HEAD, Buffer.from(address.split('.').map(Number))] : [];
  return Buffer.concat([header, query.subarray(HEADER_BYTES, endsAt), ...answer]);
}
