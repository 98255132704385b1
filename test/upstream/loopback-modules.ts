import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const golden = join(import.meta.dirname, '../golden');

/** One version of a module: its files below its root. */
export interface SampleModule {
  readonly path: string;
  readonly version: string;
  readonly publishedAt: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A module proxy on loopback and its checksum database, made with golang.org/x/mod. Versions may come and go while it runs; what the database once said stays. */
export interface LoopbackModules extends AsyncDisposable {
  readonly proxy: string;
  /** Verifier key of the database. */
  readonly sumdb: string;
  /** Takes the place of one of the same path and version. */
  publish(module: SampleModule): Promise<void>;
  remove(module: Pick<SampleModule, 'path' | 'version'>): Promise<void>;
  close(): Promise<void>;
}

export async function openLoopbackModules(folder: string): Promise<LoopbackModules> {
  const [program, tree] = [join(folder, 'modules'), join(folder, 'proxy')];
  await mkdir(tree, { recursive: true });
  await run('go', ['build', '-o', program, './modules'], { cwd: golden });
  const server = spawn(program, ['serve', tree], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(server.stdout), 'line');
  const [proxy = '', sumdb = ''] = String(line).split(' ');
  const close = async () => {
    server.kill();
    await once(server, 'close');
  };
  const remove: LoopbackModules['remove'] = async ({ path, version }) => {
    const versions = join(tree, escapeCase(path), '@v');
    const list = await readFile(join(versions, 'list'), 'utf8').catch(() => '');
    await writeFile(join(versions, 'list'), list.replace(`${version}\n`, ''));
    for (const kind of ['info', 'mod', 'zip']) await rm(join(versions, `${escapeCase(version)}.${kind}`), { force: true });
  };
  return {
    proxy,
    sumdb,
    async publish(module) {
      const sources = join(folder, 'sources');
      await rm(sources, { recursive: true, force: true });
      for (const [name, text] of Object.entries(module.files)) {
        const file = join(sources, `${module.path}@${module.version}`, name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      await mkdir(join(tree, escapeCase(module.path), '@v'), { recursive: true });
      await remove(module);
      await run(program, ['publish', sources, tree, module.publishedAt]);
    },
    remove,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** golang.org/x/mod/module, EscapePath. */
function escapeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}
