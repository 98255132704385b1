/** A bucket of an S3-compatible service, and how to get in. */
export interface S3Service {
  /** `https://HOST` or `http://HOST:PORT`, without a path. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Default: {@link PATIENCE}. */
  readonly patience?: Patience;
}

/** How long to wait for a service, and how often to ask again. */
export interface Patience {
  readonly attempts: number;
  /** Doubles with each attempt, up to {@link MAX_DELAY_MS}; by chance up to that much less. */
  readonly firstDelayMs: number;
  /** Until the head of an answer is there, counted from the request; a body that is sent adds its time at the least rate. */
  readonly answerMs: number;
  /** For a body that stands still, or comes slower than {@link MIN_BYTES_PER_SECOND}. */
  readonly stallMs: number;
}

export const PATIENCE: Patience = { attempts: 6, firstDelayMs: 200, answerMs: 30_000, stallMs: 30_000 };
export const MAX_DELAY_MS = 10_000;
/** Slower is not slow but hung: a body of one chunk would take hours. */
export const MIN_BYTES_PER_SECOND = 4096;
