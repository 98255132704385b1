import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServePorts } from './serve-ports.ts';

export interface Metrics {
  count(route: string, status: number, milliseconds: number): void;
  text(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** What this node did, for Prometheus. Time is until the answer is decided, not until it is sent. */
export function openMetrics({ ledgerSize, catalog, gauges = [] }: Pick<ServePorts, 'ledgerSize' | 'catalog' | 'gauges'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({ name: 'granary_http_requests_total', help: 'Requests answered', labelNames: ['route', 'status'], registers });
  const seconds = new Histogram({
    name: 'granary_http_request_seconds',
    help: 'Time until an answer was decided',
    labelNames: ['route'],
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.02, 0.1, 0.5, 2],
    registers,
  });
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
      requests.inc({ route, status });
      seconds.observe({ route }, milliseconds / 1000);
    },
    text: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
