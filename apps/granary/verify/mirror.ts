import type { Envelope } from '@granary/core/bundle';
import type { Sha256 } from '@granary/core/model';
import type { ReadTile } from '@granary/core/tlog';

/** One ledger as a mirror shows it. Nothing of it is trusted. */
export interface MirrorLedger {
  /** Bytes of the signed note. */
  readonly checkpoint: Uint8Array;
  readonly read: ReadTile;
}

/** A statement that the ledger says exists. */
interface LoggedEnvelope {
  readonly envelope: Sha256;
  /** Index of its leaf. */
  readonly index: number;
}

/** Where evidence comes from: a folder or a URL. Every answer is checked by whoever asked. All methods throw VerifyError `mirror-unreachable`. */
export interface Mirror {
  /** For messages: the folder or URL. */
  readonly label: string;
  /** The ledger of this origin; whichever there is when undefined. */
  ledger(origin: string | undefined): Promise<MirrorLedger | undefined>;
  /** Envelopes in which a statement key vouches for the ledger's key. */
  endorsements(ledger: MirrorLedger): Promise<readonly Envelope[]>;
  /** Bundles in the JSON form, of these statements about a file; complete against the given ledger. */
  bundles(file: Sha256, statements: readonly LoggedEnvelope[], complete: CompleteBundle): Promise<readonly unknown[]>;
}

/** Adds proof and checkpoint to an envelope. */
type CompleteBundle = (envelope: Envelope, index: number) => Promise<unknown>;
