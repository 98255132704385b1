import type { JobEvent } from '@granary/contract/ports';
import type { Progress } from './progress.ts';

/**
 * Progress for programs: each event is one line of JSON, written before what it tells of goes on, so that whoever reads knows what a
 * process was about when it died.
 */
export function openEventLines(stream: NodeJS.WritableStream): Progress {
  const write = (event: object): void => void stream.write(`${JSON.stringify(event)}\n`);
  return {
    onEvent: (event) => write(jobLine(event)),
    onStep: ({ type, ...step }) => write({ event: type, ...step }),
    note: (text) => write({ event: 'note', text }),
    pause: () => undefined,
    stop: () => undefined,
  };
}

function jobLine(event: JobEvent): object {
  const { id, stage, label } = event.job;
  const line = { event: event.type, stage, id, label };
  switch (event.type) {
    case 'queued':
    case 'started':
    case 'done':
      return line;
    case 'retrying':
      return { ...line, at: event.at, error: event.error.message };
    case 'gave-up':
      return { ...line, error: event.error.message };
  }
}
