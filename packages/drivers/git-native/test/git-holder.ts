import { gitRunner } from '../git-process.ts';
import { findGitTools } from '../git-tools.ts';

/** Starts a sandboxed process that sleeps, and waits to be killed: for tests. */
const runner = gitRunner({ tools: await findGitTools(), threads: 1, limits: { memoryBytes: 2 ** 30, fileBytes: 0, cpuSeconds: 60 } });
const git = runner.start({ args: [], script: `sleep ${process.argv[2]} & sleep ${process.argv[2]}; wait`, places: [], timeoutMs: 60_000 });
process.stdout.write('started\n');
await git.ended;
