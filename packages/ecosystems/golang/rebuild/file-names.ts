const BAD_CHARACTER = /[^\p{L}0-9A-Za-z!#$%&()+,\-.=@[\]^_{}~ ]/u;
/** What Windows keeps for devices, whatever comes behind a dot. */
const DEVICE = /^(?:CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9])(?:\.|$)/i;

/** May a file of a module be called so? Of a path as trees have it, without empty elements (golang.org/x/mod/module, CheckFilePath). */
export function isFilePath(path: string): boolean {
  return path.split('/').every((element) => !element.endsWith('.') && !BAD_CHARACTER.test(element) && !DEVICE.test(element));
}

/** The same for paths that differ in nothing but case (Go's strings.EqualFold: simple case folding of Unicode). */
export function foldCase(path: string): string {
  return /^[\0-\x7f]*$/.test(path) ? path.toLowerCase() : [...path].map(foldCharacter).join('');
}

function foldCharacter(character: string): string {
  const upper = character.toUpperCase();
  const folded = ([...upper].length === 1 ? upper : character).toLowerCase();
  // Dotted and dotless i have no partner, though they have a capital and a small letter; the engine's own case folding knows.
  return [...folded].length === 1 && new RegExp(`^\\u{${folded.codePointAt(0)?.toString(16)}}$`, 'iu').test(character) ? folded : character;
}
