declare const brand: unique symbol;
/** Lower-case hexadecimal id of a git object: 40 characters in a repository of format sha1, 64 in one of format sha256. Never all zeros. */
export type ObjectId = string & { readonly [brand]: 'ObjectId' };

export const OBJECT_FORMATS = ['sha1', 'sha256'] as const;
/** The hash that names a repository's objects (gitformat-hash-function-transition). */
export type ObjectFormat = (typeof OBJECT_FORMATS)[number];

const FORM: Readonly<Record<ObjectFormat, RegExp>> = { sha1: /^[0-9a-f]{40}$/, sha256: /^[0-9a-f]{64}$/ };

/** Undefined for anything else than an id of that format. Zeros are git's sign for no object. */
export function parseObjectId(text: string, format: ObjectFormat): ObjectId | undefined {
  return FORM[format].test(text) && !/^0+$/.test(text) ? (text as ObjectId) : undefined;
}

export function parseObjectFormat(text: string): ObjectFormat | undefined {
  return OBJECT_FORMATS.find((format) => format === text);
}
