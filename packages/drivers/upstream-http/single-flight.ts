/** Runs what is asked for by the same key once at a time, for all who ask; it is aborted when the last of them has gone. */
export function singleFlight<T>(): (key: string, signal: AbortSignal | undefined, start: (signal: AbortSignal) => Promise<T>) => Promise<T> {
  const flights = new Map<string, Flight<T>>();
  return (key, signal, start) => {
    const flight = flights.get(key) ?? launch(start, (done) => flights.get(key) === done && flights.delete(key));
    flights.set(key, flight);
    return join(flight, signal);
  };
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: (reason: unknown) => void;
  passengers: number;
}

function launch<T>(start: (signal: AbortSignal) => Promise<T>, landed: (flight: Flight<T>) => void): Flight<T> {
  const controller = new AbortController();
  const flight: Flight<T> = {
    passengers: 0,
    result: start(controller.signal).finally(() => landed(flight)),
    abort(reason) {
      landed(flight);
      controller.abort(reason);
    },
  };
  return flight;
}

async function join<T>(flight: Flight<T>, signal: AbortSignal | undefined): Promise<T> {
  flight.passengers += 1;
  const gone = Promise.withResolvers<never>();
  const leave = () => {
    gone.reject(signal?.reason);
    flight.passengers -= 1;
    if (flight.passengers === 0) flight.abort(signal?.reason);
  };
  if (signal?.aborted === true) leave();
  else signal?.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([flight.result, gone.promise]);
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}
