import { z } from 'zod';

/** Which of the variants: an index into each of their lists. */
export const Choice = z.object({
  toolchain: z.number().int(),
  frontEnd: z.number().int(),
  backendPath: z.number().int(),
  extensions: z.number().int(),
  sortedRequires: z.number().int(),
  hashSeed: z.number().int(),
  emptyFolders: z.number().int(),
  through: z.number().int().default(0),
});
export type Choice = Readonly<z.output<typeof Choice>>;

/** What a build is asked for. */
export type Produced = 'wheel' | 'sdist';

/** How the build script is to go about it. Travels in a proposal as its settings, and in a definition as plan.json. */
export const Recipe = z.object({
  choice: Choice,
  /** The folder of the source that holds the project; empty when its files lie at the top. */
  root: z.string(),
  frontEnd: z.enum(['pep517', 'setup.py']),
  /** `module:object` of the PEP 517 hooks; asked for requirements even when setup.py does the build. */
  backend: z.string(),
  backendPath: z.array(z.string()).readonly(),
  setupArguments: z.array(z.string()).readonly(),
  /** Octal. */
  umask: z.string(),
  timeZone: z.string(),
  /** PYTHONHASHSEED: the order in which tools write what they hold as a set. */
  hashSeed: z.string(),
  /** SOURCE_DATE_EPOCH; empty when the backend is to use file times. */
  epoch: z.string(),
  /** Seconds; the stamp of what the build itself makes. Empty when it doesn't matter. */
  clock: z.string(),
  windows: z.boolean(),
  /** Whether extension modules are built. */
  extensions: z.boolean(),
  /** Whether setuptools sorts requirements, as Linux distributions patch it. */
  sortedRequires: z.boolean(),
  /** Whether names that the interpreter dropped are brought back for tools older than it. */
  restoreNames: z.boolean(),
  /** Given to backends that ask a version control system, which isn't there, for the version. */
  pretendVersion: z.string(),
  /** Of what a wheel is built: the source, or the source archive that the same tools make of it. */
  through: z.enum(['tree', 'sdist']).default('tree'),
  /** Made in the unpacked source before it is built. */
  emptyFolders: z.array(z.string()).readonly(),
  /** Requirement lines that were given on the build's demand: never demanded again. */
  asked: z.array(z.string()).readonly(),
});
export type Recipe = Readonly<z.output<typeof Recipe>>;
