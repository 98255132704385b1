import type { RefEvent } from '@granary/core/git';

/** What a look at an upstream repository brought. */
export type RepositoryLook =
  | { readonly type: 'unchanged' }
  | { readonly type: 'changed'; readonly facts: number; readonly events: readonly RefEvent[]; readonly packBytes: number }
  /** Upstream has no such repository, now or any more. */
  | { readonly type: 'absent'; readonly facts: number };
