import type { Instant } from '@granary/core/model';

export interface UpstreamRequest {
  readonly url: string;
  readonly accept?: string;
  /** A document too small for a content encoding to pay. */
  readonly isSmall?: boolean;
  /** Sent as `If-None-Match`. */
  readonly etag?: string;
  /** UpstreamError `too-large` as soon as the body passes it. */
  readonly maxBytes: number;
  /** Sent as they are, by lower-case name; none that say who asks. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What a server said that the origin of `url` is to be shown, by lower-case name: nobody is who that leads to. It outranks configured credentials. */
  readonly originHeaders?: Readonly<Record<string, string>>;
  /** A question that a GET can't hold; it changes nothing there, and may be asked again. Redirected only where the body is to be sent again (307, 308). */
  readonly post?: { readonly contentType: string; readonly body: Uint8Array };
  readonly timeoutMs?: number;
  /** How long nothing, or nearly nothing, may arrive: for what takes its time to begin. */
  readonly stallMs?: number;
  readonly signal?: AbortSignal;
}
export type UpstreamResponse =
  | {
      readonly status: 'ok';
      readonly url: string;
      readonly contentType: string;
      readonly etag?: string;
      readonly sizeBytes?: number;
      readonly body: AsyncIterable<Uint8Array>;
      readonly at: Instant;
    }
  | { readonly status: 'not-modified'; readonly at: Instant }
  | { readonly status: 'not-found'; readonly code: number; readonly at: Instant };

/**
 * The only way to the outside. Keeps a budget per upstream, honours `Retry-After`, pins the address it resolved, follows at most
 * five redirects and none into private networks other than those of configured upstreams. Single flight is per URL for documents.
 */
export interface Upstream {
  /** `ok` bodies must be consumed or destroyed. A body that ends early throws UpstreamError `truncated` while it is read. */
  open(request: UpstreamRequest): Promise<UpstreamResponse>;
}

/** What an upstream host is asked by several processes together. Never fails: where it can't be reached, each goes on by its own budget. */
export interface SharedBudget {
  /** Takes the right to one request of a host (`registry.example:443`): 0, or after how many milliseconds to take again. */
  take(host: string): Promise<number>;
  /** Nobody asks the host for so long: it said so. */
  pause(host: string, milliseconds: number): Promise<void>;
}

export type UpstreamCode =
  | 'unreachable'
  | 'busy'
  | 'refused-address'
  | 'too-many-redirects'
  | 'truncated'
  | 'too-large'
  | 'timeout'
  | 'bad-status'
  | 'malformed';
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: UpstreamCode;
  readonly url: string;
  /** Of HTTP, where there was an answer. */
  readonly status: number | undefined;
  constructor(code: UpstreamCode, url: string, message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(message, options);
    this.code = code;
    this.url = url;
    this.status = options?.status;
  }
}
