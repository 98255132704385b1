import { z } from 'zod';

/** Who installs what the build needs. `npm-install`: without a lock, what its ranges came to by then. */
const MANAGERS = ['none', 'npm', 'npm-install', 'pnpm', 'yarn-1', 'yarn'] as const;
export type Manager = (typeof MANAGERS)[number];

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
});
export type Recipe = Readonly<z.output<typeof Recipe>>;
