/** Writes under way, so that whoever closes can wait for them. */
export interface TrackedWrites {
  /** Hands the write back as it is. */
  add<T>(write: Promise<T>): Promise<T>;
  /** Resolves when those under way have ended, however they ended. */
  settled(): Promise<void>;
}

export function trackWrites(): TrackedWrites {
  const running = new Set<Promise<unknown>>();
  return {
    add(write) {
      running.add(write);
      const done = (): boolean => running.delete(write);
      write.then(done, done);
      return write;
    },
    async settled() {
      await Promise.allSettled(running);
    },
  };
}
