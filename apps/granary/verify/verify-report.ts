import { isSecurityFinding } from '@granary/core/model';
import { VERIFY_EXIT_CODES } from './verify-error.ts';
import type { VerifyReport } from './verify-file.ts';

/** 0 where the policy is met and nothing is quarantined: a file that was verified and found wanting is no success. */
export function verifyExitCode({ summary, quarantinedAt }: VerifyReport): number {
  return summary.result === 'PASSED' && quarantinedAt === undefined ? 0 : VERIFY_EXIT_CODES['policy-failed'];
}

/** The report for people. It claims what the evidence carries, and says what it does not. */
export function formatVerifyReport(report: VerifyReport): string {
  const { file, purl, ledger, statements, summary, quarantinedAt } = report;
  const lines = [
    `${file.fileName ?? 'file'}  sha256:${file.sha256}`,
    `  is        ${purl}`,
    `  verdict   ${verdictLine(report)}`,
    `  policy    ${summary.result} ${summary.policyUri} (${summary.levels.join(', ')})`,
    ...(quarantinedAt === undefined ? [] : [`  QUARANTINED at entry ${quarantinedAt} of ${ledger.origin}: do not use it`]),
    ...statements.map(
      ({ predicateType, keyId, index, treeSize }) =>
        `  statement ${predicateType}\n            signed by ${keyId}, included at index ${index} of ${ledger.origin}, size ${treeSize}`,
    ),
    `  ledger    ${ledger.origin}, ${ledger.size} entries read; its key is ${ledger.trust === 'pinned' ? 'named in the public key file' : 'endorsed by the statement key'}`,
    `  demanded  ${thresholdLine(report)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function verdictLine({ equivalence: { verdict, rung, sourceTier, failureClass, cause, findings, residue } }: VerifyReport): string {
  const details = [
    rung === undefined || rung === 'none' ? undefined : `rung ${rung}`,
    sourceTier === undefined ? undefined : `source ${sourceTier}`,
    failureClass,
    cause,
    ...(findings ?? []).map((finding) => (isSecurityFinding(finding) ? `SECURITY ${finding}` : finding)),
    residue === undefined || residue === 0 ? undefined : `${residue} differences`,
  ].filter((detail) => detail !== undefined);
  return details.length === 0 ? verdict : `${verdict} (${details.join(', ')})`;
}

function thresholdLine({ thresholds: { tlog, timestamp, ctlog } }: VerifyReport): string {
  const time = timestamp === 0 ? ': no time is claimed' : '';
  return `ledger ${tlog}, time stamps ${timestamp}, certificate logs ${ctlog}${time}; order comes from the ledger, whose site signs it alone`;
}
