import type { FactKind } from '@granary/core/model';

/** Which kinds of facts each role's key may author; the sequencer refuses the rest. */
export const ROLE_KINDS = {
  operator: ['watched', 'reader', 'quarantined', 'released', 'policy'],
  demand: ['wanted'],
  sync: ['observed', 'vanished', 'stored', 'polled', 'environment'],
  rebuild: ['located', 'rebuilt', 'wanted', 'tried'],
  judge: ['compared', 'verdict'],
  attest: ['attested'],
} as const satisfies Readonly<Record<string, readonly FactKind[]>>;
export type WritingRole = keyof typeof ROLE_KINDS;
export const WRITING_ROLES: readonly WritingRole[] = ['operator', 'demand', 'sync', 'rebuild', 'judge', 'attest'];
