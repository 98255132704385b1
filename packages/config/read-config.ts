import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseRepository } from '@granary/core/git';
import { parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';
import { type Deployment, readDeployment } from './deployment.ts';
import { parseYaml } from './parse-yaml.ts';
import { ConfigFile } from './schema.ts';

/** One line of `watch:`; lockfile paths are resolved against the configuration's folder, and keep how they were written. */
export interface WatchLine {
  readonly specification: string;
  /** Where it stands, as `file:line:column`. */
  readonly at: string;
  /** Of lockfiles and SBOMs: where the file lies. */
  readonly path?: string;
  readonly files?: readonly string[];
  readonly quotaBytes?: number;
}
export type Config = Omit<ConfigFile, 'watch' | 'keys' | keyof Deployment> & {
  readonly watch: readonly WatchLine[];
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute: the folder of the site's keys. */
  readonly keysDir: string;
  /** The file that it was read from; undefined when there is none and the defaults hold. */
  readonly file?: string;
} & Deployment;
/** What the command line says; wins over the environment, which wins over the file. */
export interface ConfigOverrides {
  readonly file?: string | undefined;
  readonly data?: string | undefined;
  readonly listen?: string | undefined;
}

const DEFAULT_FILE = 'granary.yaml';

/**
 * Reads granary.yaml and the environment into one frozen value: GRANARY_CONFIG, GRANARY_DATA, GRANARY_LISTEN, and what differs from
 * machine to machine under {@link FROM_ENVIRONMENT}. Throws ConfigError with file and line. Without `--config` a missing granary.yaml
 * is an empty one.
 */
export async function readConfig(overrides: ConfigOverrides, environment: Readonly<Record<string, string | undefined>>, cwd: string): Promise<Config> {
  const named = overrides.file ?? environment['GRANARY_CONFIG'];
  const file = resolve(cwd, named ?? DEFAULT_FILE);
  const text = await readText(file, named !== undefined);
  const { parsed, placeOf } = text === undefined ? { parsed: ConfigFile.parse({}), placeOf: () => file } : parseYaml(text, file, ConfigFile);
  const data = overrides.data ?? environment['GRANARY_DATA'];
  const base = dirname(file);
  const listen = overrides.listen ?? environment['GRANARY_LISTEN'] ?? parsed.listen;
  if (!ConfigFile.shape.listen.safeParse(listen).success) throw new ConfigError(`--listen ${listen}: expected HOST:PORT such as 127.0.0.1:8080`);
  const { keys, store, lock, queue, ...rest } = { ...parsed, ...readEnvironment(environment) };
  const dataDir = data === undefined ? resolve(base, parsed.data) : resolve(cwd, data);
  return Object.freeze({
    ...rest,
    listen,
    watch: parsed.watch.map((line, index) => ({ ...watchLine(line, base), at: placeOf(['watch', index]) })),
    dataDir,
    keysDir: keys === undefined ? join(dataDir, 'keys') : resolve(base, keys),
    ...readDeployment({ store, lock, queue }, { environment, base, dataDir, placeOf }),
    ...(parsed.definitions === undefined ? {} : { definitions: resolve(base, parsed.definitions) }),
    ...(parsed.advisories === undefined ? {} : { advisories: { folder: resolve(base, parsed.advisories.folder) } }),
    ...(parsed.sigstore === undefined ? {} : { sigstore: { trustedRoot: resolve(base, parsed.sigstore.trustedRoot) } }),
    ...(text === undefined ? {} : { file }),
  });
}

/** Keys of granary.yaml that a variable may set, in YAML; it wins over the file. Relative paths are from the configuration's folder all the same. */
const FROM_ENVIRONMENT = {
  GRANARY_STORE: 'store',
  GRANARY_LOCK: 'lock',
  GRANARY_QUEUE: 'queue',
  GRANARY_KEYS: 'keys',
  GRANARY_PUBLIC_URL: 'publicUrl',
  GRANARY_READERS: 'readers',
} as const satisfies Readonly<Record<string, keyof ConfigFile>>;

function readEnvironment(environment: Readonly<Record<string, string | undefined>>): Partial<ConfigFile> {
  const given = Object.entries(FROM_ENVIRONMENT).flatMap(([name, key]) => {
    const text = environment[name];
    if (text === undefined) return [];
    const document = parseDocument(text, { prettyErrors: false });
    const read = ConfigFile.shape[key].safeParse(document.toJS());
    if (document.errors.length > 0 || !read.success)
      throw new ConfigError(`${name}: ${document.errors[0]?.message ?? read.error?.issues[0]?.message}; it holds what ${key}: holds in granary.yaml`);
    return [[key, read.data]];
  });
  return Object.fromEntries(given);
}

async function readText(file: string, isNamed: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (!isNamed && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new ConfigError(`${file}: can't be read; name an existing file with --config`, { cause });
  }
}

function watchLine(line: ConfigFile['watch'][number], base: string): Omit<WatchLine, 'at'> {
  if (typeof line === 'string') {
    if (line.startsWith('pkg:')) return { specification: line };
    const repository = parseRepository(line);
    return repository === undefined ? lockfile(line, base) : { specification: repository.purl };
  }
  const { files, quota: quotaBytes } = line;
  const more = { ...(files === undefined ? {} : { files }), ...(quotaBytes === undefined ? {} : { quotaBytes }) };
  if ('package' in line) return { specification: line.package, ...more };
  return { ...lockfile('sbom' in line ? line.sbom : line.lockfile, base), ...more };
}

function lockfile(path: string, base: string): Omit<WatchLine, 'at'> {
  return { specification: path, path: isAbsolute(path) ? path : join(base, path) };
}
