import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectFormat } from '@granary/core/git';

/** No ref can have this name (git-check-ref-format(1): no component begins with a dot), so that HEAD points nowhere whatever refs there are. */
export const NO_HEAD = 'ref: refs/heads/.none\n';

/**
 * What a project writes into `.gitattributes` changes nothing here: this file outranks all others (gitattributes(5)). `working-tree-encoding` and `eol` can't be false: they are
 * unset.
 */
const NO_ATTRIBUTES = '* -export-ignore -export-subst -text !eol -ident -filter !working-tree-encoding\n';

export interface BareRepository {
  readonly objectFormat: ObjectFormat;
  readonly head?: string;
  /** A folder of objects to borrow, as git sees it. */
  readonly borrows?: string;
}

/** gitrepository-layout(5), made by ourselves: `git init` would copy templates of this machine. */
export async function makeBareRepository(folder: string, { objectFormat, head = NO_HEAD, borrows }: BareRepository): Promise<void> {
  await mkdir(join(folder, 'objects', 'info'), { recursive: true });
  await mkdir(join(folder, 'objects', 'pack'), { recursive: true });
  await mkdir(join(folder, 'refs'), { recursive: true });
  await mkdir(join(folder, 'info'), { recursive: true });
  await writeFile(join(folder, 'info', 'attributes'), NO_ATTRIBUTES);
  await writeFile(join(folder, 'HEAD'), head);
  await writeFile(join(folder, 'config'), configOf(objectFormat));
  if (borrows !== undefined) await writeFile(join(folder, 'objects', 'info', 'alternates'), `${borrows}\n`);
}

function configOf(objectFormat: ObjectFormat): string {
  const core = (version: number): string => `[core]\n\trepositoryformatversion = ${version}\n\tfilemode = true\n\tbare = true\n`;
  return objectFormat === 'sha1' ? core(0) : `${core(1)}[extensions]\n\tobjectformat = sha256\n`;
}
