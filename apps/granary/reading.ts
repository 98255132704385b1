import type { Command } from 'commander';
import { type CommonOptions, command, configOf, type ProgramContext, print } from './command-line.ts';
import { formatAdded, formatReaders, formatRemoved, listReaders, type ReaderCommand, readerAdd, readerRemove } from './commands/reader.ts';
import { withSiteReader } from './roles/site-reader.ts';

/** `reader …`: who may read where the configuration says `readers: registered`; while the site runs or while it doesn't. */
export function addReading(program: Command, context: ProgramContext): void {
  const reader = program.command('reader').description('who may read, where not everybody may: add, list, remove');
  command(reader, 'add', 'make a token, show it once, and let in who shows it')
    .argument('<name>', 'for you to tell readers apart: a team, a machine, a job; the private ledger keeps it for ever, so no person')
    .addHelpText('after', '\nExample:\n  granary reader add build-farm')
    .action(async (name: string, options: CommonOptions) => {
      const { config, ...running } = await readingOf(context, options);
      const added = await readerAdd({ config, ...running }, name);
      print(context, options, { value: added, text: () => formatAdded(added, config.readers) });
    });
  command(reader, 'list', 'who may read, and since when; nobody has the tokens')
    .addHelpText('after', '\nExample:\n  granary reader list --json')
    .action(async (options: CommonOptions) => {
      const readers = await withSiteReader(await configOf(context, options), listReaders);
      print(context, options, { value: { readers }, text: () => formatReaders(readers) });
    });
  command(reader, 'remove', 'let in no longer; every node knows within seconds')
    .argument('<name or id>', 'as granary reader list shows it')
    .addHelpText('after', '\nExample:\n  granary reader remove build-farm')
    .action(async (nameOrId: string, options: CommonOptions) => {
      const removed = await readerRemove(await readingOf(context, options), nameOrId);
      print(context, options, { value: removed, text: () => formatRemoved(removed) });
    });
}

async function readingOf(context: ProgramContext, options: CommonOptions): Promise<ReaderCommand> {
  return { config: await configOf(context, options), note: context.terminal.say, signal: context.signal };
}
