/** What `@granary/services` starts. */
interface Server extends AsyncDisposable {
  readonly port: number;
  kill(): Promise<void>;
}

/** A service that keeps its folder and its address, however often it ends and is started again. */
export interface Service<S extends Server = Server> extends AsyncDisposable {
  /** How it is reached: the same after every start. */
  readonly server: S;
  /** SIGKILL, and waits. Nobody starts it again but `start`. */
  kill(): Promise<void>;
  /** Resolves when it answers; does nothing while it runs. Calls must not overlap. */
  start(): Promise<void>;
}

/** Starts a service; `start` is called again with the port that it had. */
export async function startService<S extends Server>(start: (port: number | undefined) => Promise<S>): Promise<Service<S>> {
  const server = await start(undefined);
  let running: S | undefined = server;
  return {
    server,
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async start() {
      running ??= await start(server.port);
    },
    async [Symbol.asyncDispose]() {
      await running?.[Symbol.asyncDispose]();
    },
  };
}
