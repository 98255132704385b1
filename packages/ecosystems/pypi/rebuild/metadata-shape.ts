import { headers } from '../core-metadata.ts';

/** How a METADATA or PKG-INFO document is written: it betrays the tools that wrote it. */
export interface MetadataShape {
  readonly name: string;
  /** Names of the fields that it has. */
  readonly headers: ReadonlySet<string>;
  readonly platforms: readonly string[];
  readonly licenseFiles: number;
  readonly multilineLicense: boolean;
  readonly unknownContentType: boolean;
  /** How many line feeds stand at its end. */
  readonly trailingNewlines: number;
}

export function readMetadataShape(text: string): MetadataShape {
  const [head = ''] = text.split(/\r?\n\r?\n/, 1);
  return {
    name: headers(text, 'Name')[0] ?? '',
    headers: new Set([...head.matchAll(/^([A-Za-z-]+):/gm)].map(([, name = '']) => name)),
    platforms: headers(text, 'Platform'),
    licenseFiles: headers(text, 'License-File').length,
    multilineLicense: /^License:.*\r?\n[ \t]/m.test(head),
    unknownContentType: headers(text, 'Description-Content-Type').includes('UNKNOWN'),
    trailingNewlines: /[\r\n]*$/.exec(text)?.[0].replaceAll('\r', '').length ?? 0,
  };
}
