import type { Instant, Purl, Sha256 } from '@granary/core/model';
import type { Advisories } from '../ports/index.ts';
import type { Held } from './ecosystem.ts';

/** What a client's path below the ecosystem's prefix asks for. */
export type Route =
  | {
      readonly type: 'root';
      /** Canonical path to redirect to, when the client's differs. */
      readonly redirect?: string;
    }
  /** `document`: another of the package's documents than its index, by the ecosystem's own name for it. */
  | { readonly type: 'package'; readonly package: Purl; readonly document?: string; readonly redirect?: string }
  /** A document that is the same whatever is held. */
  | { readonly type: 'fixed'; readonly name: string }
  /** What clients check others by, made from what was kept beside artifacts: the same in every view. */
  | { readonly type: 'evidence'; readonly name: string; readonly mediaType: string }
  /** What is asked with a POST, such as which of many releases are vulnerable: the same in every view. */
  | { readonly type: 'question'; readonly name: string; readonly maxBodyBytes: number }
  /** `packages` are those that the path can be of, likeliest first. `version`, where the path tells: of files that upstream has without listing them. */
  | { readonly type: 'artifact'; readonly packages: readonly Purl[]; readonly path: string; readonly version?: string }
  /** A document beside an artifact: its core `metadata`, or a companion by the name that it is stored under. */
  | {
      readonly type: 'companion';
      readonly packages: readonly Purl[];
      readonly artifact: { readonly path: string } | { readonly fileName: string };
      readonly companion: string;
    };

/** One file that a view shows. */
export interface ViewFile {
  readonly purl: Purl;
  readonly fileName: string;
  /** This and its size are left out where the file isn't held yet and upstream doesn't state them. */
  readonly sha256?: Sha256;
  readonly sizeBytes?: number;
  /** Digest of the upstream document, one of {@link PackageView.documents}, whose entry for the file counts. */
  readonly document: Sha256;
  /** Path below the prefix. */
  readonly path: string;
  /** When upstream no longer lists it, since when we know; we still hold it. */
  readonly vanishedAt?: Instant;
  /** Digest of its core metadata, when it is stored as a blob of its own. */
  readonly metadata?: Sha256;
  /** Names of the companions that are stored with it. */
  readonly companions: readonly string[];
}
export interface PackageView {
  readonly package: Purl;
  /** Where clients reach the ecosystem in this view, without a slash at the end, for documents that must hold absolute addresses. */
  readonly address: string;
  readonly documents: ReadonlyMap<Sha256, { readonly bytes: Uint8Array; readonly url: string; readonly contentType: string }>;
  /** The document that speaks for the package as a whole, one of `documents`. */
  readonly document: Sha256;
  readonly files: readonly ViewFile[];
  /** State known only from a later document. */
  readonly reconstructed: boolean;
  readonly asOf?: Instant;
}

/** What documents that are the same whatever is held may say of the site. */
interface FixedSite {
  /** As in {@link PackageView}. */
  readonly address: string;
  readonly readers: 'anyone' | 'registered';
}

export type QuestionAnswer =
  | { readonly type: 'answered'; readonly mediaType: string; readonly bytes: Uint8Array }
  /** `why` is one line for the client's user. */
  | { readonly type: 'refused'; readonly status: 400 | 410 | 413 | 424 | 503; readonly why: string };

/** Which paths a client asks and which documents it expects. Pure. */
export interface Views {
  /** `path` is decoded and has no leading slash. Undefined when no client of this ecosystem asks such a thing. */
  route(path: string): Route | undefined;
  /** Media types of a route, best first; negotiated by q-value. The last is for clients that accept anything. An artifact has one. */
  mediaTypes(route: Exclude<Route, { readonly type: 'evidence' | 'question' }>): readonly string[];
  /** Undefined when the package has no such document in this view. */
  renderPackage(view: PackageView, mediaType: string, document?: string): Uint8Array | undefined;
  /** Left out where no route is `fixed`. */
  renderFixed?(name: string, site: FixedSite): Uint8Array;
  /** What clients are told beside Basic and Bearer that show no token where only registered readers may read: a challenge (RFC 9110 11.3). */
  challenge?(publicUrl: string): string;
  /** Left out where no route is `evidence`. Undefined when nothing is kept that answers it. */
  renderEvidence?(name: string, held: Held): Promise<Uint8Array | undefined>;
  /** Left out where no route is a `question`. `body` is untrusted, and no longer than the route says. Never rejects. */
  answerQuestion?(name: string, body: Uint8Array, known: { readonly advisories: Advisories }): Promise<QuestionAnswer>;
  renderRoot(packages: readonly Purl[], mediaType: string): Uint8Array;
  /** How stock clients are pointed at a mirror, for people: `address` has no slash at the end. */
  clientHints(address: string): readonly string[];
}
