const BOUNDS_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.5, 2, Number.POSITIVE_INFINITY];

export interface LatencyHistogram {
  /** A few comparisons and two additions: a general histogram costs as much as answering from memory. */
  observe(route: string, seconds: number): void;
  /** Prometheus text format: cumulative buckets, sum and count per route. */
  text(): string;
}

export function latencyHistogram(name: string, help: string): LatencyHistogram {
  const routes = new Map<string, { readonly buckets: number[]; sum: number }>();
  return {
    observe(route, seconds) {
      let observed = routes.get(route);
      if (observed === undefined) {
        observed = { buckets: BOUNDS_SECONDS.map(() => 0), sum: 0 };
        routes.set(route, observed);
      }
      let bucket = 0;
      while (seconds > (BOUNDS_SECONDS[bucket] ?? 0)) bucket += 1;
      observed.buckets[bucket] = (observed.buckets[bucket] ?? 0) + 1;
      observed.sum += seconds;
    },
    text() {
      const lines = [...routes].flatMap(([route, { buckets, sum }]) => seriesOf(name, route, { buckets, sum }));
      return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ''].join('\n');
    },
  };
}

function seriesOf(name: string, route: string, { buckets, sum }: { readonly buckets: readonly number[]; readonly sum: number }): readonly string[] {
  let total = 0;
  const cumulative = buckets.map((count, index) => {
    total += count;
    const bound = BOUNDS_SECONDS[index];
    return `${name}_bucket{route="${route}",le="${bound === Number.POSITIVE_INFINITY ? '+Inf' : bound}"} ${total}`;
  });
  return [...cumulative, `${name}_sum{route="${route}"} ${sum}`, `${name}_count{route="${route}"} ${total}`];
}
