/** What comes while a write is under way is written together after it, in order: a write costs more than what is in it. Who comes when none is under way writes at once. */
export function groupCommit<T>(write: (items: readonly T[]) => Promise<void>): (items: readonly T[]) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  let next: { readonly items: T[]; readonly written: Promise<void> } | undefined;
  const begin = () => {
    const items: T[] = [];
    const written = last.then(() => {
      next = undefined;
      return write(items);
    });
    last = written.catch(() => undefined);
    return { items, written };
  };
  return (items) => {
    next ??= begin();
    for (const item of items) next.items.push(item);
    return next.written;
  };
}
