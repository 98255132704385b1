import {
  canonicalJson,
  factKey,
  type Json,
  type PinnedArtifact,
  type Purl,
  PurlShape,
  type Sha256,
  Sha256Shape,
  sha256,
  WatchedBody,
} from '@granary/core/model';
import { z } from 'zod';
import type { Catalog, CatalogFact, Contact, PhaseEnd } from '../ports/index.ts';
import type { Closure } from './closure.ts';
import type { Ecosystem } from './ecosystem.ts';
import { storedArtifact } from './stored-artifact.ts';

/** An install of a product that is to be tried, or was: of what one ecosystem has in its closure. */
export interface InstallTrial {
  /** Of the `tried` fact, and its key: another lock or other files are another trial, another index of the same is not. */
  readonly inputs: readonly string[];
  readonly key: Sha256;
  readonly artifacts: readonly PinnedArtifact[];
}

/** Undefined when there is nothing to try, or not everything that it takes is stored. */
export function installTrial(
  catalog: Pick<Catalog, 'current'>,
  watched: CatalogFact,
  closure: Closure,
  ecosystem: Pick<Ecosystem, 'id' | 'installing'>,
): InstallTrial | undefined {
  const { id, installing } = ecosystem;
  const wanted = closure.artifacts.filter(({ purl }) => purl.startsWith(`pkg:${id}/`));
  if (installing === undefined || wanted.length === 0) return undefined;
  const artifacts: PinnedArtifact[] = [];
  for (const { purl } of wanted) {
    const stored = catalog.current('stored', purl);
    if (stored === undefined) return undefined;
    artifacts.push(storedArtifact(stored));
  }
  const { subject } = watched.entry;
  const files = artifacts.map(({ purl, sha256: digest }) => `${purl} ${digest}`).sort();
  const inputs = [id, `engine ${installing.engine}`, WatchedBody.parse(watched.entry.body).content ?? '', sha256(files.join('\n'))];
  return { inputs, key: factKey({ kind: 'tried', subject, inputs, body: {} }), artifacts };
}

/** One package whose scripts were run. */
export interface TriedPackage {
  readonly release: Purl;
  readonly end: PhaseEnd;
  /** Whom it turned to beside the mirror. */
  readonly contacts: readonly Contact[];
  /** How many more there were. */
  readonly leftOut: number;
}
/** What came of a trial: the blob behind a `tried` fact. */
export type TrialReport =
  /** No package of it runs code at install. */
  | { readonly type: 'nothing-runs' }
  | { readonly type: 'not-tried'; readonly why: string; readonly runsCode: readonly Purl[] }
  | {
      readonly type: 'tried';
      /** The root filesystem that it ran in. */
      readonly rootfs: Sha256;
      /** Whom the client itself turned to, before anything of a package ran. */
      readonly contacts: readonly Contact[];
      readonly packages: readonly TriedPackage[];
      /** Not run, because there were too many. */
      readonly beyond: readonly Purl[];
    };

const ContactShape = z
  .object({ host: z.string(), port: z.number().int().optional(), protocol: z.enum(['tcp', 'udp', 'lookup']) })
  .transform(({ port, ...rest }): Contact => ({ ...rest, ...(port === undefined ? {} : { port }) }));
const End = z.discriminatedUnion('type', [
  z.object({ type: z.literal('exited'), code: z.number().int() }),
  z.object({ type: z.literal('killed'), by: z.enum(['out-of-memory', 'timeout', 'abort', 'signal']) }),
]);
const Report = z.discriminatedUnion('type', [
  z.object({ type: z.literal('nothing-runs') }),
  z.object({ type: z.literal('not-tried'), why: z.string(), runsCode: z.array(PurlShape) }),
  z.object({
    type: z.literal('tried'),
    rootfs: Sha256Shape,
    contacts: z.array(ContactShape),
    packages: z.array(z.object({ release: PurlShape, end: End, contacts: z.array(ContactShape), leftOut: z.number().int().nonnegative() })),
    beyond: z.array(PurlShape),
  }),
]);
const Document = z.object({ granary: z.literal(1), type: z.literal('install-trial'), report: Report });

export function encodeTrialReport(report: TrialReport): Uint8Array {
  const json: Json = JSON.parse(JSON.stringify(report));
  return new TextEncoder().encode(canonicalJson({ granary: 1, type: 'install-trial', report: json }));
}

/** Throws ZodError on what {@link encodeTrialReport} didn't write. */
export function decodeTrialReport(bytes: Uint8Array): TrialReport {
  return Document.parse(JSON.parse(new TextDecoder().decode(bytes))).report;
}
