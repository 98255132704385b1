import type { FactSink, LoggedStatement } from '@granary/contract/ports';
import { attestedFact, attestedInputs, type Judged, statementLeaf, statementLeafHash, statementsOf } from '@granary/core/bundle';
import { type SigningPorts, signStatement } from './sign-statement.ts';

export interface AttestPorts extends SigningPorts {
  readonly sink: FactSink;
}

/**
 * Signs every statement that follows from a verdict and hands each over with its leaf. Killed anywhere and run again, it hands over
 * the same: envelopes are adopted, leaves and facts are functions of them. Throws AttestError, StoreError.
 */
export async function attest(ports: AttestPorts, judged: Judged, origin: string): Promise<readonly LoggedStatement[]> {
  const { signer, sink } = ports;
  const logged: LoggedStatement[] = [];
  for (const statement of statementsOf(judged, origin)) {
    const { envelope, id, payload } = await signStatement(ports, statement);
    const leaf = statementLeaf(envelope, signer.publicKeyPem);
    const { predicateType } = statement;
    const body = { sha256: statement.subject.sha256, predicateType, envelope: id, payload, leaf: statementLeafHash(leaf), keyId: signer.keyId };
    const inputs = attestedInputs(judged.verdictKey, predicateType, judged.policy.digest);
    logged.push({ fact: attestedFact(judged.subject.name, inputs, body), leaf });
  }
  // Facts become durable one by one: the summary follows once the others are, so that a scheduler who sees it knows that nothing is missing.
  await sink.submit(logged.slice(0, -1));
  await sink.submit(logged.slice(-1));
  return logged;
}
