import { EcosystemError, type LockedPin } from '@granary/contract/ecosystem';
import type { Digests } from '@granary/core/model';
import { type FileKind, fileNameOf, isModulePath } from './names.ts';
import { isVersion } from './versions.ts';

const MAX_LINES = 500_000;
const LINE = /^(\S{1,1024}) ([^\s/]{1,256})(\/go\.mod)? (h\d+:\S{1,256})$/;

/**
 * go.sum: of some versions the hash of everything, of others that of the `go.mod` alone, which a client only reads to know the module
 * graph. Of those no more is wanted.
 */
export function lockedByGoSum(fileName: string, text: string): readonly LockedPin[] {
  const pins = new Map<string, { readonly name: string; readonly version: string; readonly files: Map<FileKind, Digests> }>();
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES) throw new EcosystemError('bad-spec', `${fileName}: more than ${MAX_LINES} lines`);
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [, name = '', version = '', goMod, h1 = ''] = LINE.exec(line.trim()) ?? [];
    if (!isModulePath(name) || !isVersion(version))
      throw new EcosystemError('bad-spec', `${fileName}:${at + 1}: expected a module, its version and a hash, got ${JSON.stringify(line.slice(0, 120))}`);
    const pin = pins.get(`${name}@${version}`) ?? {
      name,
      version,
      files: new Map<FileKind, Digests>([
        ['info', {}],
        ['mod', {}],
      ]),
    };
    pins.set(`${name}@${version}`, pin);
    // Hashes of other kinds than h1 are passed over, as clients do.
    if (h1.startsWith('h1:')) lockFile(pin.files, goMod === undefined ? 'zip' : 'mod', h1, `${fileName}:${at + 1}: ${name} ${version}`);
  }
  return [...pins.values()].map(({ name, version, files }) => ({
    name,
    version,
    digests: [],
    files: [...files].map(([kind, digests]) => ({ fileName: fileNameOf(version, kind), digests })),
  }));
}

function lockFile(files: Map<FileKind, Digests>, kind: FileKind, h1: string, where: string): void {
  const known = files.get(kind)?.h1;
  if (known !== undefined && known !== h1) throw new EcosystemError('bad-spec', `${where} has two hashes`);
  files.set(kind, { h1 });
}
