export { DEFAULT_THRESHOLDS, type Thresholds } from './check-bundle.ts';
export { type SiteEvidence, type SiteEvidencePorts, siteEvidence } from './site-evidence.ts';
export { VERIFY_EXIT_CODES, type VerifyCode, VerifyError } from './verify-error.ts';
export { type VerifyReport, type VerifyRequest, verifyFile } from './verify-file.ts';
export { formatVerifyReport, verifyExitCode } from './verify-report.ts';
