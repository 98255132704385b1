interface Sink {
  write(chunk: unknown): boolean;
  end(chunk?: unknown): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  readonly destroyed: boolean;
}

/** Feeds a stream of the tar library, which are not Node's, at the speed at which it takes. Ends early when the sink was destroyed. */
export async function pump(source: AsyncIterable<unknown>, sink: Sink): Promise<void> {
  for await (const chunk of source) {
    if (sink.destroyed) return;
    if (!sink.write(chunk)) await room(sink);
  }
  sink.end();
}

function room(sink: Sink): Promise<void> {
  return new Promise((resolve) => {
    sink.once('drain', resolve);
    sink.once('close', resolve);
  });
}
