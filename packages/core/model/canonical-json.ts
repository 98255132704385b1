import canonicalize from 'canonicalize';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * RFC 8785 canonical bytes. Throws RangeError on what a fact may not hold: numbers that are not
 * integers below 2^53 (I-JSON, RFC 7493 2.2), lone surrogates, undefined members.
 */
export function canonicalJson(value: Json): string {
  refuseUnportable(value, 0);
  const text = canonicalize(value);
  if (text === undefined) throw new RangeError('canonical JSON: the value has no JSON form');
  return text;
}

/** Parses untrusted text; undefined unless it is exactly the canonical form of what it says. */
export function parseCanonicalJson(text: string, maxDepth = 32): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    refuseUnportable(value, 0, maxDepth);
    return canonicalize(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function refuseUnportable(value: Json, depth: number, maxDepth = 32): void {
  if (depth > maxDepth) throw new RangeError(`canonical JSON: nested deeper than ${maxDepth}`);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`canonical JSON: ${value} is not an integer below 2^53`);
  if (typeof value === 'string' && !value.isWellFormed()) throw new RangeError('canonical JSON: a string holds a lone surrogate');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed()) throw new RangeError('canonical JSON: a member name holds a lone surrogate');
    refuseUnportable(member, depth + 1, maxDepth);
  }
}
