import { z } from 'zod';
import { canonicalJson, type Json, parseCanonicalJson, type Sha256, sha256 } from '../model/index.ts';
import { BundleError } from './bundle-error.ts';

/** DSSE payload type of in-toto statements (in-toto attestation framework, envelope layer). */
export const IN_TOTO_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** What statements of ours are about. */
export interface Subject {
  /** The purl; npm demands it, others compare the digest alone. */
  readonly name: string;
  readonly sha256: Sha256;
  /** Where upstream states it: npm compares this one. */
  readonly sha512?: string;
}

/** An in-toto v1 statement about one file. */
export interface Statement {
  readonly subject: Subject;
  readonly predicateType: string;
  readonly predicate: { readonly [name: string]: Json };
}

/** Canonical JSON (RFC 8785): the same statement is the same bytes, so that its digest names it. */
export function encodeStatement({ subject, predicateType, predicate }: Statement): Uint8Array {
  const digest = { sha256: subject.sha256, ...(subject.sha512 === undefined ? {} : { sha512: subject.sha512 }) };
  return new TextEncoder().encode(canonicalJson({ _type: STATEMENT_TYPE, subject: [{ name: subject.name, digest }], predicateType, predicate }));
}

export function payloadDigest(statement: Statement): Sha256 {
  return sha256(encodeStatement(statement));
}

const WireStatement = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([
    z.object({
      name: z.string(),
      digest: z.object({
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        sha512: z
          .string()
          .regex(/^[0-9a-f]{128}$/)
          .optional(),
      }),
    }),
  ]),
  predicateType: z.string(),
  predicate: z.record(z.string(), z.json()),
});

/** Parses what was signed. Throws BundleError `bad-statement` unless it is one of ours: canonical, v1, one subject. */
export function parseStatement(payload: Uint8Array): Statement {
  const value = parseCanonicalJson(new TextDecoder().decode(payload));
  const parsed = WireStatement.safeParse(value);
  if (!parsed.success) throw new BundleError('bad-statement', `statement: ${firstIssue(parsed.error)}`);
  const [{ name, digest }] = parsed.data.subject;
  const subject: Subject = { name, sha256: digest.sha256 as Sha256, ...(digest.sha512 === undefined ? {} : { sha512: digest.sha512 }) };
  return { subject, predicateType: parsed.data.predicateType, predicate: parsed.data.predicate };
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'not a statement' : `${issue.path.join('.') || 'the whole'}: ${issue.message}`;
}
