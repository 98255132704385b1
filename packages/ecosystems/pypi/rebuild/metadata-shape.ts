import { headers } from '../core-metadata.ts';

/** How a METADATA or PKG-INFO document is written: it betrays the tools that wrote it. */
export interface MetadataShape {
  readonly version: string;
  readonly name: string;
  readonly platforms: readonly string[];
  readonly licenseFiles: number;
  readonly dynamic: boolean;
  /** How many line feeds stand at its end. */
  readonly trailingNewlines: number;
}

export function readMetadataShape(text: string): MetadataShape {
  const [version = ''] = headers(text, 'Metadata-Version');
  const [name = ''] = headers(text, 'Name');
  return {
    version,
    name,
    platforms: headers(text, 'Platform'),
    licenseFiles: headers(text, 'License-File').length,
    dynamic: headers(text, 'Dynamic').length > 0,
    trailingNewlines: /[\r\n]*$/.exec(text)?.[0].replaceAll('\r', '').length ?? 0,
  };
}
