import { z } from 'zod';

/** Who installs what the build needs. `npm-install`: without a lock, what its ranges came to by then. */
const MANAGERS = ['none', 'npm', 'npm-install', 'pnpm', 'yarn-1', 'yarn'] as const;
export type Manager = (typeof MANAGERS)[number];
/** Whose zlib a tarball is compressed by: the packer's own, or that of another Node. */
const COMPRESSORS = ['own', 'day', 'plain'] as const;

/** How the build script is to go about it: the settings of a proposal. */
export const Recipe = z.object({
  manager: z.enum(MANAGERS),
  /** The project's own package manager as a requirement, `pnpm@9.1.0`; empty where the root filesystem's npm does. */
  tool: z.string(),
  /** Where the lock lies, or what is installed for: below the repository's root, empty for the root itself. */
  project: z.string(),
  /** The package's own folder. */
  directory: z.string(),
  /** Scripts of the project, run there before those of the package. */
  projectScripts: z.array(z.string()).readonly(),
  /** Scripts of the package, run before it is packed. */
  scripts: z.array(z.string()).readonly(),
  /** Whether packing runs the scripts that belong to it. */
  packScripts: z.boolean(),
  packer: z.enum(['npm', 'pnpm', 'yarn']),
  /** Written into the package.json, where the source leaves it open; else empty. */
  version: z.string(),
  /** Node and npm that everything is run by, as requirements of one release each; empty where the root filesystem's do. */
  node: z.string().default(''),
  npm: z.string().default(''),
  compressor: z.enum(COMPRESSORS).default('own'),
  /** The Node that compresses, as such a requirement; empty where the packer does. */
  zlib: z.string().default(''),
  /** The level that it compresses with, and the operating system that it names (RFC 1952). */
  level: z.int().min(0).max(9).default(0),
  system: z.int().min(0).max(255).default(0),
});
export type Recipe = Readonly<z.output<typeof Recipe>>;
export type Compressor = Pick<Recipe, 'compressor' | 'zlib'>;

/** By the root filesystem's own tools. */
export const BY_ROOT: Pick<Recipe, 'node' | 'npm' | 'compressor' | 'zlib' | 'level' | 'system'> = {
  node: '',
  npm: '',
  compressor: 'own',
  zlib: '',
  level: 0,
  system: 0,
};
