/** Callers that wait at the same time share a run; one that comes while it runs needs the next. */
export function sharing(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const done = work().finally(() => {
      running = undefined;
    });
    running = done;
    return done;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}

/** Callers wait for a run that begins in a while, and share it with whoever comes until then. */
export function gathering(work: () => Promise<void>, pause: () => Promise<void>): () => Promise<void> {
  let next: Promise<void> | undefined;
  const start = async (): Promise<void> => {
    await pause();
    next = undefined;
    await work();
  };
  return () => {
    next ??= start();
    return next;
  };
}
