interface Sink {
  write(chunk: unknown): boolean;
  end(chunk?: unknown): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
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
    const done = () => {
      sink.off('drain', done);
      sink.off('close', done);
      resolve();
    };
    sink.on('drain', done);
    sink.on('close', done);
  });
}
