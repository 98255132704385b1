/** Longer names than any that people give; file systems end at 255 bytes per component. */
export const MAX_REF_NAME_BYTES = 1024;

/**
 * Is this the full name of a ref, `refs/…`, by the rules of git-check-ref-format(1), without a blank at its end and no longer than
 * MAX_REF_NAME_BYTES? `HEAD` and other names outside of `refs/` are none.
 */
export function isRefName(name: string): boolean {
  return name.startsWith('refs/') && name.length > 5 && isShort(name) && name.isWellFormed() && !FORBIDDEN.test(name);
}

/**
 * git-check-ref-format(1), rules 1 and 3 to 10: an empty component, one that begins with a dot or ends with `.lock`; two dots; control
 * characters, space and ~ ^ : ? * [ \; a dot or a slash at the end; `@{`. And blanks that git allows, at the end: package URLs are trimmed, so
 * that one ref would pass for another.
 */
const FORBIDDEN = /\/\/|\/\.|\.lock(?:\/|$)|\.\.|[\0-\x20\x7f~^:?*[\\]|[./\s]$|@\{/;

function isShort(name: string): boolean {
  return name.length * 3 <= MAX_REF_NAME_BYTES || Buffer.byteLength(name) <= MAX_REF_NAME_BYTES;
}
