/** A request as a handler sees it. What it holds is untrusted, but bounded by the host. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** Path and query as they were sent, undecoded. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of a POST: reads what was sent, at most once. What isn't read is thrown away. Never rejects. */
  readonly body?: (maxBytes: number) => Promise<HttpBody>;
}

/** What a client sent: whole, and expanded when it was compressed. */
export type HttpBody =
  | { readonly type: 'whole'; readonly bytes: Uint8Array }
  /** Too large (also only when it is expanded), damaged, broken off, or in a coding that isn't read: what to answer. */
  | { readonly type: 'refused'; readonly status: 400 | 413 | 415 | 503; readonly why: string };

/** Bytes that are opened only when they are sent: not for HEAD. */
export interface HttpStream {
  /** Left out where nobody knows it beforehand. */
  readonly sizeBytes?: number;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/** An answer, finished: headers hold the true `content-length` where it is known, also of an answer to HEAD, whose body the host leaves out. */
export interface HttpResponse {
  readonly status: number;
  /** ASCII; the usual phrase when absent. */
  readonly reason?: string;
  /** Names and values in turn, written as they are. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array | HttpStream;
  /** The host calls it once, when it needs the body's bytes no longer: sent, or the client is gone. Their memory may then be given back. */
  readonly release?: () => void;
}

/** May answer at once, without a promise: the hot path does. Must not throw for anything a client can send. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;
