export { type SiteEvidence, siteEvidence } from './site-evidence.ts';
export { VERIFY_EXIT_CODES, type VerifyCode, VerifyError } from './verify-error.ts';
export { verifyFile } from './verify-file.ts';
export { formatVerifyReport, verifyExitCode } from './verify-report.ts';
