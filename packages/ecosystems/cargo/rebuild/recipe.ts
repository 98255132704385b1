import { z } from 'zod';
import { VERSION_CONTROLS } from './crate-evidence.ts';

/**
 * Which Cargo.lock lies beside the package when it is packed. `none`: none, so that what its dependencies come to is looked up as of then. `tree`: the commit's. `published`: the one in
 * the published crate.
 */
const LOCKS = ['tree', 'none', 'published'] as const;
export type Lock = (typeof LOCKS)[number];

/** How the build script is to go about it. Travels in a proposal as its settings. */
export const Recipe = z.object({
  lock: z.enum(LOCKS),
  /** The folder of the workspace, below the source's root. */
  root: z.string(),
  versionControl: z.enum(VERSION_CONTROLS),
});
export type Recipe = Readonly<z.output<typeof Recipe>>;
