import { parseStanzas, type Stanza } from './control-file.ts';

/** Where a package archive lies, as the machine's own apt is told (sources.list(5)). */
export interface ArchiveSource {
  /** Ends in `/`. */
  readonly url: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** A keyring: a path, or the armoured key itself. Undefined: whatever apt trusts. */
  readonly signedBy?: string;
}

/** What lies in /etc/apt: `sources.list`, `sources.list.d/*.list` (one line each) and `*.sources` (deb822). */
export interface SourcesFile {
  readonly name: string;
  readonly text: string;
}

/** Binary archives that are switched on, in the order of the files. Only those reached by HTTP: local media are nothing that can be mirrored. */
export function parseAptSources(files: readonly SourcesFile[]): readonly ArchiveSource[] {
  const sources = files.flatMap(({ name, text }) => (name.endsWith('.sources') ? parseStanzas(text).flatMap(fromStanza) : text.split('\n').flatMap(fromLine)));
  return sources.filter(({ url }) => /^https?:\/\//.test(url));
}

/** The archive that a release of the distribution consists of: neither updates nor additions. Undefined when apt has none. */
export function mainArchive(sources: readonly ArchiveSource[], suite: string): ArchiveSource | undefined {
  return sources.find((source) => source.suite === suite && source.components.includes('main'));
}

function fromStanza(stanza: Stanza): readonly ArchiveSource[] {
  if (!words(stanza.get('types')).includes('deb') || /^(no|false|off|0|without|disable)$/i.test(stanza.get('enabled') ?? 'yes')) return [];
  const components = words(stanza.get('components'));
  const signedBy = stanza.get('signed-by');
  return words(stanza.get('uris')).flatMap((url) => words(stanza.get('suites')).map((suite) => toSource({ url, suite, components }, signedBy)));
}

/** `deb [option=value …] uri suite component …` */
function fromLine(line: string): readonly ArchiveSource[] {
  const [, options = '', url, suite, components] = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line) ?? [];
  if (url === undefined || suite === undefined) return [];
  const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
  return [toSource({ url, suite, components: words(components) }, signedBy)];
}

function toSource({ url, suite, components }: Omit<ArchiveSource, 'signedBy'>, signedBy: string | undefined): ArchiveSource {
  const key = signedBy === undefined ? undefined : armoured(signedBy);
  return { url: url.endsWith('/') ? url : `${url}/`, suite, components, ...(key === undefined ? {} : { signedBy: key }) };
}

/** An embedded key has ` .` for its empty lines; a path stands alone, perhaps among others. */
function armoured(signedBy: string): string {
  if (!signedBy.includes('-----BEGIN PGP')) return words(signedBy)[0] ?? '';
  return signedBy
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '.' ? '' : line.trim()))
    .join('\n');
}

function words(text = ''): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
