import type { Instant, Purl, Sha256 } from '@granary/core/model';

/** What a client's path below the ecosystem's prefix asks for. */
export type Route =
  | { readonly type: 'root' }
  | { readonly type: 'package'; readonly package: Purl /** Canonical path to redirect to, when the client's differs. */; readonly redirect?: string }
  | { readonly type: 'artifact'; readonly path: string }
  /** A document beside an artifact, such as its core metadata. */
  | { readonly type: 'companion'; readonly path: string; readonly companion: string };

/** One file that a view shows. */
export interface ViewFile {
  readonly fileName: string;
  /** Digest of the upstream document, one of {@link PackageView.documents}, whose entry for the file counts. */
  readonly document: Sha256;
  /** Path below the prefix. */
  readonly path: string;
  /** When upstream no longer lists it, since when we know; we still hold it. */
  readonly vanishedAt?: Instant;
  /** Digest of its core metadata, when it is stored as a blob of its own. */
  readonly metadata?: Sha256;
}
export interface PackageView {
  readonly package: Purl;
  readonly documents: ReadonlyMap<Sha256, { readonly bytes: Uint8Array; readonly url: string; readonly contentType: string }>;
  readonly files: readonly ViewFile[];
  /** State known only from a later document. */
  readonly reconstructed: boolean;
  readonly asOf?: Instant;
}

/** Which paths a client asks and which documents it expects. Pure. */
export interface Views {
  route(path: string): Route | undefined;
  /** Media types of a route, best first; negotiated by q-value. */
  mediaTypes(route: Route): readonly string[];
  renderPackage(view: PackageView, mediaType: string): Uint8Array;
  renderRoot(packages: readonly Purl[], mediaType: string): Uint8Array;
}
