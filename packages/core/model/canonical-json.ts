import canonicalize from 'canonicalize';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * RFC 8785 canonical bytes. Throws RangeError on what a fact may not hold: numbers that are not
 * integers below 2^53 (I-JSON, RFC 7493 2.2), lone surrogates, undefined members.
 */
export function canonicalJson(value: Json): string {
  const text = isPortableInOrder(value, 0, 32) ? JSON.stringify(value) : canonicalize(value);
  if (text === undefined) throw new RangeError('canonical JSON: the value has no JSON form');
  return text;
}

/** Parses untrusted text; undefined unless it is exactly the canonical form of what it says. */
export function parseCanonicalJson(text: string, maxDepth = 32): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    const canonical = isPortableInOrder(value, 0, maxDepth) ? JSON.stringify(value) : canonicalize(value);
    return canonical === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Throws RangeError on what is not portable. True when every object has its members in RFC 8785 order (3.2.3, by UTF-16 code
 * units) already: then JSON.stringify writes the canonical form, as RFC 8785 takes its strings and integers from ECMAScript.
 */
function isPortableInOrder(value: Json, depth: number, maxDepth: number): boolean {
  if (depth > maxDepth) throw new RangeError(`canonical JSON: nested deeper than ${maxDepth}`);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`canonical JSON: ${value} is not an integer below 2^53`);
  if (typeof value === 'string' && !value.isWellFormed()) throw new RangeError('canonical JSON: a string holds a lone surrogate');
  if (typeof value !== 'object' || value === null) return true;
  return isList(value) ? areInOrder(value, depth, maxDepth) : hasOrder(value, depth, maxDepth);
}

function areInOrder(values: readonly Json[], depth: number, maxDepth: number): boolean {
  let inOrder = true;
  for (const value of values) inOrder = isPortableInOrder(value, depth + 1, maxDepth) && inOrder;
  return inOrder;
}

function hasOrder(value: { readonly [key: string]: Json }, depth: number, maxDepth: number): boolean {
  let inOrder = true;
  let last: string | undefined;
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) throw new RangeError('canonical JSON: a member name holds a lone surrogate');
    if (last !== undefined && key < last) inOrder = false;
    last = key;
    inOrder = isPortableInOrder(member, depth + 1, maxDepth) && inOrder;
  }
  return inOrder;
}

/** Array.isArray does not narrow a union with a readonly array. */
function isList(value: readonly Json[] | { readonly [key: string]: Json }): value is readonly Json[] {
  return Array.isArray(value);
}
