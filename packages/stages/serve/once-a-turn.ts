/**
 * Asks once per turn of the event loop, for what costs as much to ask as to answer a request. Requests that are handled in one turn had all
 * arrived before it, so that none of them can know of anything later.
 */
export function onceATurn<T>(ask: () => T): () => T {
  let known: { readonly value: T } | undefined;
  const forget = () => {
    known = undefined;
  };
  return () => {
    if (known === undefined) {
      known = { value: ask() };
      setImmediate(forget);
    }
    return known.value;
  };
}
