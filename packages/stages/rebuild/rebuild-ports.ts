import type { PackageDocuments, RebuildableEcosystem, WrittenDefinitions } from '@granary/contract/ecosystem';
import type { BlobStore, Catalog, FactSink, Repositories, Sandbox } from '@granary/contract/ports';
import type { Sha256 } from '@granary/core/model';
import type { ResolvePorts } from './resolve-closure.ts';

/** What builds run in: the current `environment` fact. */
export interface BuildEnvironment {
  readonly rootfs: Sha256;
  readonly architecture: string;
  /** Version of the runtime that the root filesystem brings, such as `3.11.2`. */
  readonly runtimeVersion: string;
}

export interface PlanPorts extends ResolvePorts {
  /** Made when it is asked for; undefined where the ecosystem runs nothing. */
  readonly environment: () => Promise<BuildEnvironment | undefined>;
  readonly repositories: Repositories;
  readonly documents: PackageDocuments;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
  /** What operators wrote down; left out where they didn't. */
  readonly written?: WrittenDefinitions | undefined;
}

/** Bytes that a build fetched from our own mirror. */
export interface FetchedBytes {
  readonly path: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}
/** Our mirror as it stood, on a unix socket of one run's own. */
export interface MirrorSocket {
  readonly path: string;
  /** Everything served so far, in the order of requests. */
  readonly fetched: () => readonly FetchedBytes[];
  /** The public ledger's size that the view was rendered at. */
  readonly size: number;
  close(): Promise<void>;
}

export interface RunPorts {
  readonly ecosystem: RebuildableEcosystem;
  readonly sandbox: Sandbox;
  /** Opens the as-of view of an ecosystem for one run. */
  readonly openMirror: (moment: { readonly asOf: string }) => Promise<MirrorSocket>;
  readonly repositories: Repositories;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly sink: FactSink;
}
