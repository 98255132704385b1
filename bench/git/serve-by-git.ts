import process from 'node:process';
import { serveGit } from '@granary/services';

/** Serves a folder of bare repositories by git's own http-backend, until it is ended. */
const { base } = await serveGit(process.argv[2] ?? '.');
process.stdout.write(`${base}\n`);
process.once('SIGTERM', () => process.exit(0));
