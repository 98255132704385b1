import { parseByteSize } from '@granary/config';
import { type Command, InvalidArgumentError } from 'commander';
import { type CommonOptions, command, configOf, type ProgramContext, print } from './command-line.ts';
import { estimate, formatEstimate } from './commands/estimate.ts';
import {
  type AddOptions,
  formatWatched,
  formatWatchReport,
  listWatched,
  type WatchCommand,
  watchAdd,
  watchableOf,
  watchRemove,
  watchRequest,
} from './commands/watch.ts';
import { withSiteReader } from './roles/site-reader.ts';

const SPECIFICATION = 'a package URL, the address of a git repository, or the path of a lockfile, an SBOM or a folder';

/** `watch …`: what is to be kept, while the site runs or while it doesn't. */
export function addWatching(program: Command, context: ProgramContext): void {
  const watch = program.command('watch').description('what is to be kept: add, list, remove, request');
  addAdding(watch, context);
  command(watch, 'list', 'what is watched and what is requested, by whom and since when')
    .addHelpText('after', '\nExamples:\n  granary watch list\n  granary watch list --data /var/lib/granary --json')
    .action(async (options: CommonOptions) => {
      const watched = await withSiteReader(await configOf(context, options), listWatched);
      print(context, options, { value: { watched }, text: () => formatWatched(watched) });
    });
  command(watch, 'remove', 'watch no longer, or decline a request; what is held stays')
    .argument('<spec...>', `as granary watch list shows it, or ${SPECIFICATION}`)
    .addHelpText('after', '\nExamples:\n  granary watch remove pkg:pypi/click\n  granary watch remove ./product/uv.lock')
    .action(async (given: readonly string[], options: CommonOptions) => {
      const writing = await writingOf(context, options);
      const report = await watchRemove(writing, given);
      print(context, options, { value: report, text: () => formatWatchReport(report, 'no longer watched', writing.config) });
    });
  command(watch, 'request', 'ask for a package; nothing is taken in before an operator, or a rule of the configuration, accepts')
    .argument('<purl...>', 'such as pkg:pypi/click or pkg:pypi/click@8.1.7')
    .addHelpText('after', '\nExamples:\n  granary watch request pkg:pypi/click\n  granary watch add pkg:pypi/click        # accepts it')
    .action(async (given: readonly string[], options: CommonOptions) => {
      const writing = await writingOf(context, options);
      const report = await watchRequest(writing, given);
      print(context, options, { value: report, text: () => formatWatchReport(report, 'requested', writing.config) });
    });
}

interface AddingOptions extends CommonOptions {
  readonly dryRun?: true;
  readonly quota?: number;
  readonly files?: readonly string[];
}

function addAdding(watch: Command, context: ProgramContext): void {
  command(watch, 'add', 'watch packages, lockfiles and SBOMs, or all that lie in a folder; accepts what was requested')
    .argument('<spec...>', SPECIFICATION)
    .option('--dry-run', 'change nothing: say what it would come to in files, bytes, requests, time and cost')
    .option('--quota <size>', 'take nothing of a specification that comes to more, such as 10GiB', parseQuota)
    .option('--files <pattern...>', 'keep only files of these names of each release')
    .addHelpText(
      'after',
      '\nExamples:\n  granary watch add pkg:pypi/flask\n  granary watch add ./product --quota 10GiB\n  granary watch add product.cdx.json --dry-run --json',
    )
    .action(async (given: readonly string[], options: AddingOptions) => {
      const writing = await writingOf(context, options);
      const limits: AddOptions = {
        ...(options.quota === undefined ? {} : { quotaBytes: options.quota }),
        ...(options.files === undefined ? {} : { files: options.files }),
      };
      const watchable = await watchableOf(writing, given, limits);
      if (options.dryRun === true) {
        const estimated = await estimate({ ...writing, environment: context.environment }, watchable);
        print(context, options, { value: estimated, text: () => formatEstimate(estimated) });
        return;
      }
      const report = await watchAdd(writing, watchable);
      print(context, options, { value: report, text: () => formatWatchReport(report, 'watched', writing.config) });
    });
}

async function writingOf(context: ProgramContext, options: CommonOptions): Promise<WatchCommand> {
  return { config: await configOf(context, options), cwd: context.cwd, note: context.terminal.say, signal: context.signal };
}

function parseQuota(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('expected a size such as 500MiB or 10GiB');
  return bytes;
}
