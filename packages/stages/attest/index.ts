export { type AttestPorts, attest } from './attest.ts';
export { type AttestCode, AttestError } from './attest-error.ts';
export { type JudgedPorts, readJudged } from './read-judged.ts';
export { type SignedStatement, type SigningPorts, signStatement } from './sign-statement.ts';
export { siteKeyFacts } from './site-key-facts.ts';
