/** Options of one section by name: in lower case, `-` as `_`, as setuptools takes them. Lines of a value are joined by line feeds. */
export type SetupSection = ReadonlyMap<string, string>;

/** Sections of a setup.cfg, as Python's configparser reads them. Undefined for what it would refuse. Untrusted text. */
export function readSetupCfg(text: string): ReadonlyMap<string, SetupSection> | undefined {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let name: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const content = line.trim();
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;
    const isContinued = line !== line.trimStart();
    if (isContinued && section !== undefined && name !== undefined) {
      section.set(name, `${section.get(name) ?? ''}\n${content}`);
      continue;
    }
    name = undefined;
    if (content.startsWith('[') && content.endsWith(']')) {
      section = sections.get(content.slice(1, -1)) ?? new Map();
      sections.set(content.slice(1, -1), section);
      continue;
    }
    const [option, value] = optionOf(content);
    if (section === undefined || option === '') return undefined;
    section.set(option, value);
    name = option;
  }
  return sections;
}

/** Before the first `=` or `:`; without either it isn't one. */
function optionOf(content: string): readonly [name: string, value: string] {
  const at = content.search(/[=:]/);
  return at === -1 ? ['', ''] : [content.slice(0, at).trimEnd().toLowerCase().replaceAll('-', '_'), content.slice(at + 1).trimStart()];
}
