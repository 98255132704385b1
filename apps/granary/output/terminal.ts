import { inspect } from 'node:util';
import { UpstreamError } from '@granary/contract/ports';
import { diskFaultOf } from '../disk-fault.ts';

/** Where people read: standard error for what goes on, standard output for results. */
export interface Terminal {
  say(line: string): void;
  result(line: string): void;
}

export function openTerminal(streams: { readonly out: NodeJS.WritableStream; readonly err: NodeJS.WritableStream }): Terminal {
  return { say: (line) => void streams.err.write(`${line}\n`), result: (line) => void streams.out.write(`${line}\n`) };
}

/** Our own errors are sentences; the rest is a fault of ours, with what we need to find it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const fault = diskFaultOf(error);
  if (fault !== undefined) return fault.message;
  if (error instanceof UpstreamError) return `${error.message}; granary doctor says which upstreams are asked, and why these`;
  const isOurs = 'code' in error && typeof error.code === 'string';
  return isOurs ? error.message : (error.stack ?? error.message);
}

/** Columns as wide as their widest cell; the last isn't padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
