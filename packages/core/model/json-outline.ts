/** Where a member of an object lies in its text. */
export interface JsonMember {
  /** Decoded. */
  readonly name: string;
  /** Of the text of its value, in bytes. */
  readonly start: number;
  readonly end: number;
  /** Of members whose name is in `within`, where their value is an object: its members. */
  readonly members?: readonly JsonMember[];
}
export interface OutlineOptions {
  /** How many values may lie in each other. */
  readonly maxDepth: number;
  /** How many members may be listed in all, each time that a name comes counted: five bytes of text are a hundred of memory. */
  readonly maxMembers: number;
  readonly within?: readonly string[];
}
export type JsonOutline =
  /** In the order of the text; a name that comes again is listed again, and the last one counts. */
  | { readonly type: 'object'; readonly members: readonly JsonMember[] }
  /** JSON, but no object. */
  | { readonly type: 'other' }
  | { readonly type: 'too-deep' }
  | { readonly type: 'too-many' }
  /** No JSON (RFC 8259); `at` is the byte at which it ceases to be. */
  | { readonly type: 'malformed'; readonly at: number };

/**
 * Checks that bytes are JSON, as `JSON.parse` would after decoding them, and says where the members of the outermost object lie, without
 * making anything of them: what isn't asked for costs no memory, and half of the time.
 */
export function outlineJson(bytes: Uint8Array, { maxDepth, maxMembers, within = [] }: OutlineOptions): JsonOutline {
  const scan: Scan = { bytes, maxDepth, within: new Set(within), membersLeft: maxMembers };
  try {
    const start = skipSpace(bytes, hasByteOrderMark(bytes) ? 3 : 0);
    const isObject = bytes[start] === OPEN_BRACE;
    const members: JsonMember[] = [];
    const end = isObject ? endOfObject(scan, start, 1, members) : endOfValue(scan, start, 0);
    const rest = skipSpace(bytes, end);
    if (rest < bytes.length) throw new Stop({ type: 'malformed', at: rest });
    return isObject ? { type: 'object', members } : { type: 'other' };
  } catch (error) {
    if (error instanceof Stop) return error.outline;
    throw error;
  }
}

interface Scan {
  readonly bytes: Uint8Array;
  readonly maxDepth: number;
  readonly within: ReadonlySet<string>;
  membersLeft: number;
}

class Stop extends Error {
  readonly outline: JsonOutline;
  constructor(outline: JsonOutline) {
    super(outline.type);
    this.outline = outline;
  }
}

const [QUOTE, COMMA, COLON, BACKSLASH, SMALL_U] = [0x22, 0x2c, 0x3a, 0x5c, 0x75];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const [PLUS, MINUS, DOT, ZERO, BIG_E, SMALL_E] = [0x2b, 0x2d, 0x2e, 0x30, 0x45, 0x65];
const [SPACE, TAB, LINE_FEED, CARRIAGE_RETURN] = [0x20, 0x09, 0x0a, 0x0d];
const WORDS: ReadonlyMap<number, Uint8Array> = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), new TextEncoder().encode(word)]));
/** By byte: stands for itself in a string. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH));
/** By byte: may follow a backslash, `u` aside. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => Number('"\\/bfnrt'.includes(String.fromCharCode(byte))));
const HEXADECIMAL = Uint8Array.from({ length: 256 }, (_, byte) => Number(/[0-9a-fA-F]/.test(String.fromCharCode(byte))));

function endOfValue(scan: Scan, at: number, depth: number): number {
  const byte = scan.bytes[at] ?? 0;
  if (byte === QUOTE) return endOfString(scan.bytes, at);
  if (byte === OPEN_BRACE) return endOfObject(scan, at, depth + 1);
  if (byte === OPEN_BRACKET) return endOfArray(scan, at, depth + 1);
  const word = WORDS.get(byte);
  return word === undefined ? endOfNumber(scan.bytes, at) : endOfWord(scan.bytes, at, word);
}

function endOfArray(scan: Scan, start: number, depth: number): number {
  const { bytes, maxDepth } = scan;
  if (depth > maxDepth) throw new Stop({ type: 'too-deep' });
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipSpace(bytes, endOfValue(scan, at, depth));
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    at = skipSpace(bytes, after(bytes, at, COMMA));
  }
}

/** Lists its members, if asked. */
function endOfObject(scan: Scan, start: number, depth: number, members?: JsonMember[]): number {
  const { bytes, maxDepth } = scan;
  if (depth > maxDepth) throw new Stop({ type: 'too-deep' });
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) throw malformed(at);
    const nameEnd = endOfString(bytes, at);
    const valueStart = skipSpace(bytes, after(bytes, skipSpace(bytes, nameEnd), COLON));
    if (members === undefined) at = endOfValue(scan, valueStart, depth);
    else {
      if (scan.membersLeft === 0) throw new Stop({ type: 'too-many' });
      scan.membersLeft -= 1;
      const member = memberAt(scan, { name: JSON.parse(textOf(bytes, at, nameEnd)), start: valueStart }, depth);
      members.push(member);
      at = member.end;
    }
    at = skipSpace(bytes, at);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    at = skipSpace(bytes, after(bytes, at, COMMA));
  }
}

function memberAt(scan: Scan, { name, start }: Pick<JsonMember, 'name' | 'start'>, depth: number): JsonMember {
  if (depth > 1 || !scan.within.has(name) || scan.bytes[start] !== OPEN_BRACE) return { name, start, end: endOfValue(scan, start, depth) };
  const members: JsonMember[] = [];
  return { name, start, end: endOfObject(scan, start, depth + 1, members), members };
}

function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; ; ) {
    at = skipPlain(bytes, at);
    if (bytes[at] === QUOTE) return at + 1;
    if (bytes[at] !== BACKSLASH) throw malformed(at);
    at = endOfEscape(bytes, at + 1);
  }
}

function endOfEscape(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== SMALL_U) {
    if (ESCAPED[bytes[at] ?? 0] === 0) throw malformed(at);
    return at + 1;
  }
  for (let digit = at + 1; digit <= at + 4; digit += 1) if (HEXADECIMAL[bytes[digit] ?? 0] === 0) throw malformed(digit);
  return at + 5;
}

function endOfNumber(bytes: Uint8Array, start: number): number {
  const whole = bytes[start] === MINUS ? start + 1 : start;
  let at = bytes[whole] === ZERO ? whole + 1 : endOfDigits(bytes, whole);
  if (bytes[at] === DOT) at = endOfDigits(bytes, at + 1);
  if (bytes[at] !== SMALL_E && bytes[at] !== BIG_E) return at;
  const isSigned = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS;
  return endOfDigits(bytes, isSigned ? at + 2 : at + 1);
}

/** At least one. */
function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(bytes[at] ?? 0)) at += 1;
  if (at === start) throw malformed(at);
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function endOfWord(bytes: Uint8Array, start: number, word: Uint8Array): number {
  for (const [at, byte] of word.entries()) if (bytes[start + at] !== byte) throw malformed(start + at);
  return start + word.length;
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === SPACE || bytes[at] === LINE_FEED || bytes[at] === CARRIAGE_RETURN || bytes[at] === TAB) at += 1;
  return at;
}

function skipPlain(bytes: Uint8Array, start: number): number {
  let at = start;
  // The bound first: what is asked for behind the end is not a small number any more, and all later looks are slower for it.
  while (at < bytes.length && PLAIN[bytes[at] ?? 0] === 1) at += 1;
  return at;
}

function after(bytes: Uint8Array, at: number, expected: number): number {
  if (bytes[at] !== expected) throw malformed(at);
  return at + 1;
}

function malformed(at: number): Stop {
  return new Stop({ type: 'malformed', at });
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A part of JSON in UTF-8, decoded. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}
