import { z } from 'zod';

/** How the build script is to go about it. Travels in a proposal as its settings, and in a definition as plan.json. */
export const Recipe = z.object({
  /** Which of the variants this is: toolchain, front end, backend path. */
  variant: z.array(z.number().int()).readonly(),
  /** The folder of the source archive that holds the project; empty when its files lie at the top. */
  root: z.string(),
  frontEnd: z.enum(['pep517', 'setup.py']),
  /** `module:object` of the PEP 517 hooks; asked for requirements even when setup.py does the build. */
  backend: z.string(),
  backendPath: z.array(z.string()).readonly(),
  setupArguments: z.array(z.string()).readonly(),
  /** Octal. */
  umask: z.string(),
  timeZone: z.string(),
  /** SOURCE_DATE_EPOCH; empty when the backend is to use file times. */
  epoch: z.string(),
  /** Seconds; the stamp of what the build itself makes. Empty when it doesn't matter. */
  clock: z.string(),
  windows: z.boolean(),
  /** Given to backends that read the version from a version control system that a source archive lacks. */
  pretendVersion: z.string(),
  /** Requirement lines that were given on the build's demand: never demanded again. */
  asked: z.array(z.string()).readonly(),
});
export type Recipe = Readonly<z.output<typeof Recipe>>;
