import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { runTool } from './run-tool.ts';

it('is out of the reach of a tool that ends its whole process group', async () => {
  await expect(runTool(['sh', '-c', 'echo gone wrong >&2; kill -TERM 0; sleep 60'], 'make it')).rejects.toMatchObject({ code: 'infrastructure' });
});

it.skipIf(process.getuid?.() !== 0)('is out of its reach too where that is the first of its namespace, and its group has no number there', async () => {
  const argv = ['unshare', '--pid', '--fork', '--kill-child', 'sh', '-c', 'kill -HUP 0; exit 3'] as const;

  await expect(runTool(argv, 'make it')).rejects.toMatchObject({ code: 'infrastructure', message: expect.stringMatching(/^make it: unshare: /) });
});

it('ends a tool that takes too long, and what it started', async () => {
  const marker = `granary-run-tool-${process.pid}`;
  const argv = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child', 'bash', '-c', `exec -a ${marker} sleep 60`] as const;

  await expect(runTool(argv, 'make it', { timeoutMs: 1000 })).rejects.toMatchObject({ code: 'infrastructure' });

  // The kernel ends it with its parent, in its own time.
  await expect.poll(() => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }), { timeout: 10_000 }).not.toContain(`\n${marker}`);
});
