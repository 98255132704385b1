import { type AttestedBody, type ComputedFact, type Fact, factBody, factKey, type Sha256, sha256 } from '../model/index.ts';
import { SUMMARY_TYPE } from './names.ts';

/**
 * The inputs that give an `attested` fact its key: the verdict, which statement about it, and of a summary the policy, so that another
 * policy is another summary, and nothing else. Known before anything is signed, so that a scheduler sees what is missing; the signing key
 * is none of them, so that a new key doesn't sign everything again.
 */
export function attestedInputs(verdictKey: Sha256, predicateType: string, policy: Sha256): readonly Sha256[] {
  return [verdictKey, sha256(predicateType), ...(predicateType === SUMMARY_TYPE ? [policy] : [])];
}

/** `subject` is the purl of the published file, also where the statement is about the rebuilt one. */
export function attestedFact(subject: string, inputs: readonly Sha256[], body: AttestedBody): ComputedFact & { readonly kind: 'attested' } {
  return { kind: 'attested', subject, inputs, body: factBody(body) };
}

export function attestedKey(subject: string, inputs: readonly Sha256[]): Sha256 {
  return factKey({ kind: 'attested', subject, inputs, body: {} });
}

/** Is everything about this verdict under this policy signed and acknowledged? The summary is handed over last, so it speaks for the rest. */
export function isSummaryOf(fact: Fact, verdictKey: Sha256, policy: Sha256): boolean {
  return fact.kind === 'attested' && fact.inputs[0] === verdictKey && fact.inputs[2] === policy && fact.body['predicateType'] === SUMMARY_TYPE;
}
