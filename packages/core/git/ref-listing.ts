import { GitFormatError } from './git-format-error.ts';
import type { ObjectId } from './object-id.ts';
import { isRefName } from './ref-name.ts';

/** What a server's refs are. */
export interface RefListing {
  /**
   * By full name, `refs/…`. `HEAD` is among them only where it names no branch that is listed: where it is detached, or its branch is
   * kept from us.
   */
  readonly refs: ReadonlyMap<string, ObjectId>;
  /** Of refs that name an annotated tag: what it comes to in the end. */
  readonly peeled: ReadonlyMap<string, ObjectId>;
  /** The branch that HEAD names; one that isn't there in a repository without commits. */
  readonly head?: string;
}

/** A listing as a server gave it. */
export interface ReceivedRefs extends RefListing {
  /** Names that git-check-ref-format(1) forbids, that are longer than MAX_REF_NAME_BYTES or not UTF-8: left out, as git does. */
  readonly ignored: number;
}

export const MAX_REFS = 1_000_000;
/** A million refs of usual length: no server makes us read more. */
export const MAX_REFS_BYTES = 256 * 2 ** 20;

/** One ref as a server names it. */
export interface ListedRef {
  readonly name: string | undefined;
  readonly objectId: ObjectId | undefined;
  readonly peeled?: ObjectId;
  readonly symbolic?: string;
}

/** Gathers refs, and refuses those that are too many or come twice (GitFormatError). Maps, so that no name means anything else. */
export class RefCollector {
  readonly #refs = new Map<string, ObjectId>();
  readonly #peeled = new Map<string, ObjectId>();
  readonly #maxRefs: number;
  #head: { readonly target: string | undefined; readonly objectId: ObjectId | undefined } | undefined;
  #ignored = 0;

  constructor(maxRefs = MAX_REFS) {
    this.#maxRefs = maxRefs;
  }

  add({ name, objectId, peeled, symbolic }: ListedRef): void {
    if (this.#refs.size + this.#ignored >= this.#maxRefs) throw new GitFormatError('too-many', `git server's refs: more than ${this.#maxRefs}`);
    if (name === 'HEAD') {
      if (this.#head !== undefined) throw duplicate(name);
      this.#head = { target: symbolic !== undefined && isRefName(symbolic) ? symbolic : undefined, objectId };
    } else if (name === undefined || objectId === undefined || !isRefName(name)) {
      this.#ignored += 1;
    } else {
      if (this.#refs.has(name)) throw duplicate(name);
      this.#refs.set(name, objectId);
      if (peeled !== undefined) this.#peeled.set(name, peeled);
    }
  }

  /** The line `<name>^{}` of protocol v0, which follows that of its ref. */
  peel(name: string, objectId: ObjectId): void {
    if (this.#peeled.has(name)) throw duplicate(`${name}^{}`);
    if (this.#refs.has(name)) this.#peeled.set(name, objectId);
  }

  listing(): ReceivedRefs {
    const { target, objectId } = this.#head ?? {};
    const isThere = target !== undefined && (objectId === undefined || this.#refs.has(target));
    const refs = isThere || objectId === undefined ? this.#refs : new Map([['HEAD', objectId], ...this.#refs]);
    return { refs, peeled: this.#peeled, ignored: this.#ignored, ...(isThere ? { head: target } : {}) };
  }
}

function duplicate(name: string): GitFormatError {
  return new GitFormatError('duplicate', `git server's refs: ${JSON.stringify(name)} twice`);
}
