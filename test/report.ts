/** Lanes run for minutes: what they came to is printed at once, and not when the runner is done. */
export function report(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Reports how long something took. */
export async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await act();
  report(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}
