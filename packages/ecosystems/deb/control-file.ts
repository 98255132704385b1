/** One stanza of a control file (deb822(5)): field names in lower case. Continuation lines keep their line ends, without the first blank. */
export type Stanza = ReadonlyMap<string, string>;

const FIELD = /^([!-,.-9;-~][!-9;-~]*):[ \t]*(.*)$/;

/** Stanzas of a text; lines that are neither field, continuation nor comment are passed over. */
export function parseStanzas(text: string): readonly Stanza[] {
  return text
    .split(/\n[ \t]*(?:\n[ \t]*)*\n|\n\n+/)
    .map(parseStanza)
    .filter((stanza) => stanza.size > 0);
}

export function parseStanza(text: string): Stanza {
  const fields = new Map<string, string>();
  let name = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const [, field, value = ''] = FIELD.exec(line) ?? [];
    if (field !== undefined) {
      name = field.toLowerCase();
      // The first of two fields of one name counts: readers that take the last are how two tools come to differ.
      if (!fields.has(name)) fields.set(name, value.trimEnd());
      else name = '';
    } else if (/^[ \t]/.test(line) && name !== '') {
      fields.set(name, `${fields.get(name)}\n${line.slice(1).trimEnd()}`);
    }
  }
  return fields;
}
