import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { latencyHistogram } from './latency-histogram.ts';
import type { ServePorts } from './serve-ports.ts';

export interface Metrics {
  count(route: string, status: number, milliseconds: number): void;
  text(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** What this node did, for Prometheus. Counting happens on every request, so that it is no more than an addition until somebody asks. */
export function openMetrics({ ledgerSize, catalog, gauges = [] }: Pick<ServePorts, 'ledgerSize' | 'catalog' | 'gauges'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({ name: 'granary_http_requests_total', help: 'Requests answered', labelNames: ['route', 'status'], registers });
  const latency = latencyHistogram('granary_http_request_seconds', 'Time until an answer was decided');
  const counted = new Map<string, Map<number, number>>();
  const own = [
    { name: 'granary_ledger_size', help: 'Entries of the public ledger that are folded', value: ledgerSize },
    { name: 'granary_catalog_revision', help: 'Entries of all ledgers that are folded', value: () => catalog.revision() },
  ];
  for (const { name, help, value } of [...own, ...gauges]) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
  return {
    count(route, status, milliseconds) {
      const statuses = counted.get(route) ?? new Map<number, number>();
      if (statuses.size === 0) counted.set(route, statuses);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      latency.observe(route, milliseconds / 1000);
    },
    async text() {
      for (const [route, statuses] of counted) for (const [status, count] of statuses) requests.inc({ route, status }, count);
      counted.clear();
      return { text: `${await registry.metrics()}\n${latency.text()}`, contentType: registry.contentType };
    },
  };
}
