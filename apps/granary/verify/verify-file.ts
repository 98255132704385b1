import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import {
  BundleError,
  completeBundle,
  EQUIVALENCE_TYPE,
  type Equivalence,
  PROVENANCE_TYPE,
  parseTrustFile,
  readEquivalence,
  readSummary,
  SUMMARY_TYPE,
  type Summary,
  type TrustFile,
} from '@granary/core/bundle';
import { type Sha256, sha256, toSha256 } from '@granary/core/model';
import { TlogError } from '@granary/core/tlog';
import { type CheckedStatement, checkBundle, DEFAULT_THRESHOLDS, type Thresholds } from './check-bundle.ts';
import { folderMirror } from './folder-mirror.ts';
import { type LedgerFacts, ledgerFacts } from './ledger-facts.ts';
import type { Mirror } from './mirror.ts';
import { type LedgerTrust, type TrustedLedger, trustedLedger } from './trusted-ledger.ts';
import { urlMirror } from './url-mirror.ts';
import { VerifyError } from './verify-error.ts';

export interface VerifyRequest {
  readonly file: { readonly path: string } | { readonly bytes: Uint8Array; readonly fileName?: string };
  /** Text of `granary.pub`, or of a bare PEM. */
  readonly publicKey: string;
  /** Folder of a mirror, or its `http:` or `https:` URL. */
  readonly source: string;
  /** Where only registered readers may read the mirror. */
  readonly readerToken?: string | undefined;
  /** Default: {@link DEFAULT_THRESHOLDS}. May ask for more, never for less. */
  readonly thresholds?: Thresholds;
}

/** What can be claimed of a file, and of nothing else: no time, no independence of witnesses. */
export interface VerifyReport {
  readonly file: { readonly sha256: Sha256; readonly fileName?: string };
  /** Purl that the statements give the file. */
  readonly purl: string;
  readonly ledger: { readonly origin: string; readonly size: number; readonly trust: LedgerTrust };
  readonly thresholds: Thresholds;
  readonly statements: readonly { readonly predicateType: string; readonly keyId: string; readonly index: number; readonly treeSize: number }[];
  /** What the newest equivalence statement says. */
  readonly equivalence: Equivalence;
  /** What the newest verification summary says. */
  readonly summary: Summary;
  /** Index of the `quarantined` fact in force. */
  readonly quarantinedAt?: number;
}

/** Checks a file against what a mirror signed about it; needs no network for a folder. Throws VerifyError for every refusal. */
export async function verifyFile(request: VerifyRequest): Promise<VerifyReport> {
  const thresholds = refuseLower(request.thresholds ?? DEFAULT_THRESHOLDS);
  const trust = readTrust(request.publicKey);
  const file = await identify(request.file);
  const mirror = /^https?:\/\//.test(request.source) ? urlMirror(request.source, request.readerToken) : folderMirror(request.source);
  return await asRefusal(mirror, async () => {
    const ledger = await trustedLedger(mirror, trust);
    const facts = await ledgerFacts(ledger.tiles, file.sha256, file.fileName);
    refuseUnknown(file, facts, ledger);
    const checked = await checkAll(mirror, file.sha256, facts, { trust, ledger, thresholds });
    return report(file, facts, ledger, { checked, thresholds });
  });
}

async function checkAll(
  mirror: Mirror,
  file: Sha256,
  facts: LedgerFacts,
  { trust, ledger, thresholds }: { readonly trust: TrustFile; readonly ledger: TrustedLedger; readonly thresholds: Thresholds },
): Promise<readonly CheckedStatement[]> {
  // A statement's leaf stands right before its fact; the proof shows whether it does.
  const statements = facts.attested.map(({ index, body }) => ({ envelope: body.envelope, index: index - 1, leaf: body.leaf }));
  const bundles = await mirror.bundles(file, statements, (envelope, index) => completeBundle(envelope, index, ledger));
  const checked = bundles.map((bundle) => checkBundle(bundle, file, { trust, log: ledger.log, keys: facts.keys, thresholds }));
  const missing = statements.find(({ index, leaf }) => !checked.some((statement) => statement.index === index && statement.leaf === leaf));
  if (missing !== undefined)
    throw new VerifyError('bundle-malformed', `${mirror.label}: the ledger has a statement at entry ${missing.index} that the mirror does not show`);
  return checked;
}

function report(
  file: VerifyReport['file'],
  facts: LedgerFacts,
  ledger: TrustedLedger,
  { checked, thresholds }: { readonly checked: readonly CheckedStatement[]; readonly thresholds: Thresholds },
): VerifyReport {
  const inOrder = [...checked].sort((a, b) => a.index - b.index);
  const newest = (type: string) => inOrder.findLast(({ statement }) => statement.predicateType === type)?.statement;
  const [equivalence, summary] = [newest(EQUIVALENCE_TYPE), newest(SUMMARY_TYPE)];
  if (equivalence === undefined || summary === undefined) {
    throw new VerifyError(
      'no-statement',
      `${ledger.log.name}: has statements about this file, but no ${equivalence === undefined ? 'equivalence statement' : 'verification summary'} yet`,
    );
  }
  const purl = equivalence.subject.name;
  const quarantine = facts.quarantine.get(purl) ?? facts.quarantine.get(purl.replace(/\?.*$/, ''));
  return {
    file,
    purl,
    ledger: { origin: ledger.log.name, size: ledger.tiles.size, trust: ledger.trust },
    thresholds,
    statements: inOrder.map(({ statement, keyId, index, treeSize }) => ({ predicateType: statement.predicateType, keyId, index, treeSize })),
    equivalence: readEquivalence(equivalence),
    summary: readSummary(summary),
    ...(quarantine?.fact.kind === 'quarantined' ? { quarantinedAt: quarantine.index } : {}),
  };
}

function refuseUnknown({ sha256: digest, fileName }: VerifyReport['file'], { attested, namesakes }: LedgerFacts, { log, tiles }: TrustedLedger): void {
  if (attested.some(({ body }) => body.predicateType !== PROVENANCE_TYPE)) return;
  const [rebuilt] = attested;
  if (rebuilt !== undefined) {
    throw new VerifyError(
      'no-statement',
      `${fileName ?? 'file'}: is what was rebuilt for ${rebuilt.subject}, not what was published; verify the published file`,
    );
  }
  const name = fileName ?? 'file';
  if (namesakes.includes(digest))
    throw new VerifyError('no-statement', `${name}: mirrored, but nothing is signed about it in the ${tiles.size} entries of ${log.name} yet`);
  if (namesakes.length > 0) {
    throw new VerifyError(
      'file-altered',
      `${name}: is sha256:${digest}, but ${log.name} knows that name with sha256:${namesakes.join(' or sha256:')}; do not use this file`,
    );
  }
  throw new VerifyError(
    'no-statement',
    `${name}: no statement about sha256:${digest} among the ${tiles.size} entries of ${log.name}; was it mirrored and judged there?`,
  );
}

/** The log is what every claim rests on: it can't be waived, only asked for more. */
function refuseLower(thresholds: Thresholds): Thresholds {
  if (thresholds.tlog < DEFAULT_THRESHOLDS.tlog)
    throw new VerifyError('threshold-missed', `ledger threshold ${thresholds.tlog}: at least ${DEFAULT_THRESHOLDS.tlog}; it is never lowered`);
  return thresholds;
}

function readTrust(publicKey: string): TrustFile {
  try {
    return parseTrustFile(publicKey);
  } catch (cause) {
    throw new VerifyError('bad-public-key', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function identify(file: VerifyRequest['file']): Promise<VerifyReport['file']> {
  if ('bytes' in file) return { sha256: sha256(file.bytes), ...(file.fileName === undefined ? {} : { fileName: file.fileName }) };
  try {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file.path)) hash.update(chunk);
    return { sha256: toSha256(hash.digest('hex')), fileName: basename(file.path) };
  } catch (cause) {
    throw new VerifyError('file-unreadable', `read ${file.path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Faults in a mirror's tiles and documents are refusals; anything else is a fault of ours and goes on as it is. */
async function asRefusal<T>(mirror: Mirror, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TlogError) throw new VerifyError('ledger-altered', `${mirror.label}: ${cause.message}`, { cause });
    if (cause instanceof BundleError) throw new VerifyError('bundle-malformed', `${mirror.label}: ${cause.message}`, { cause });
    throw cause;
  }
}
