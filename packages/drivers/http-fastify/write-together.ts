/**
 * Runs what is handed over in one turn of the event loop together, at the turn's end, in order. A write wakes whoever waits for it, which on
 * the same machine costs more than the write itself: writes that follow each other closely wake a busy reader once.
 * Nothing that is handed over may throw.
 */
export function openTogether(): (write: () => void) => void {
  let waiting: (() => void)[] = [];
  const flush = (): void => {
    const now = waiting;
    waiting = [];
    for (const write of now) write();
  };
  return (write) => {
    if (waiting.push(write) === 1) setImmediate(flush);
  };
}
