import { readFile } from 'node:fs/promises';
import { ConfigFile } from '@granary/config';
import { Command, InvalidArgumentError } from 'commander';
import { AppError } from './app-error.ts';
import { type CommonOptions, command, configOf, type ProgramContext, print } from './command-line.ts';
import { rebuildCatalog } from './commands/catalog-rebuild.ts';
import { formatDiff, readDiffs } from './commands/diff.ts';
import { doctor, formatFindings } from './commands/doctor.ts';
import { checkLedgers, formatLedgerReport } from './commands/ledger-check.ts';
import { formatRerun, rebuildAgain } from './commands/rebuild.ts';
import { runRole } from './commands/run-role.ts';
import { serve } from './commands/serve.ts';
import { formatStatus, readStatus } from './commands/status.ts';
import { up } from './commands/up.ts';
import { explain, formatExplanation } from './commands/why.ts';
import { formatRepositoryHistory, readRepositoryHistory } from './commands/why-repository.ts';
import { EXIT_CODES } from './exit-code.ts';
import { formatTable } from './output/terminal.ts';
import { addReading } from './reading.ts';
import { runSequencer } from './roles/run-sequencer.ts';
import { runWorker } from './roles/run-worker.ts';
import { withSiteReader } from './roles/site-reader.ts';
import { formatVerifyReport, verifyExitCode, verifyFile } from './verify/index.ts';
import { addWatching } from './watching.ts';

const EXIT_CODE_TABLE = formatTable([['', ''], ...EXIT_CODES.map(([codes, meaning]) => [`  ${codes}`, meaning])]).trimStart();

/** The command line: what it takes, and which module does it. */
export function buildProgram(context: ProgramContext): Command {
  const program = new Command('granary')
    .description('Keeps, rebuilds, judges and serves the packages that you depend on.')
    .exitOverride()
    .configureOutput({ writeErr: (text) => context.terminal.say(text.trimEnd()), writeOut: (text) => context.terminal.result(text.trimEnd()) })
    .addHelpText('after', `\nExit codes:\n  ${EXIT_CODE_TABLE}`)
    .showHelpAfterError('(granary --help lists the commands)');
  addRunning(program, context);
  addRoles(program, context);
  addAsking(program, context);
  addWatching(program, context);
  addReading(program, context);
  addRebuilding(program, context);
  addChecking(program, context);
  return program;
}

function addRunning(program: Command, context: ProgramContext): void {
  command(program, 'up', 'mirror, rebuild, judge, sign and serve what the configuration watches')
    .option('--listen <host:port>', 'where to serve; the configuration says 127.0.0.1:8080', parseAddress)
    .option('--once', 'leave after the table instead of following upstream')
    .option('--events', 'progress as lines of JSON on standard error, for programs')
    .addHelpText('after', '\nExamples:\n  granary up\n  granary up --config granary.yaml --data /var/lib/granary --once --json')
    .action(async (options: CommonOptions) => {
      const config = await configOf(context, options);
      const progress = options.events === true ? 'lines' : 'shown';
      await up({ ...context, role: 'all', config, progress, once: options.once === true, json: options.json === true });
    });
  command(program, 'serve', 'serve what is held; no builds, and no upstream unless pullThrough: is configured and the keys are here')
    .option('--listen <host:port>', 'where to serve', parseAddress)
    .addHelpText('after', '\nExample:\n  granary serve --data /var/lib/granary --listen 0.0.0.0:8080')
    .action(async (options: CommonOptions) => await serve({ ...context, config: await configOf(context, options) }));
}

/** What `up` does in one process, as processes of their own, on as many machines as it takes. */
function addRoles(program: Command, context: ProgramContext): void {
  const role = (name: string, description: string) =>
    command(program, name, description)
      .option('--events', 'progress as lines of JSON on standard error, for programs')
      .addHelpText('after', `\nExample:\n  granary ${name} --config granary.yaml --data /var/lib/granary-${name}`);
  const action = (run: Parameters<typeof runRole>[0]) => async (options: CommonOptions) =>
    await runRole(run, { ...context, config: await configOf(context, options), progress: options.events === true ? 'lines' : 'shown' });
  role('sequencer', 'write the ledgers; one works, others stand by').action(action(runSequencer));
  role('worker', 'do jobs of every stage; as many as there is work for').action(action(runWorker));
  role('scheduler', 'keep the queue filled with what the watch list comes to, and follow upstream')
    .option('--once', 'leave after the table instead of following upstream')
    .action(async (options: CommonOptions) => {
      const config = await configOf(context, options);
      const progress = options.events === true ? 'lines' : 'shown';
      await up({ ...context, role: 'scheduler', config, progress, once: options.once === true, json: options.json === true });
    });
}

function addAsking(program: Command, context: ProgramContext): void {
  command(program, 'status', 'what is watched, held, rebuilt and verified; what is missing, and why')
    .option('--require-complete', 'end with 1 unless every product is complete')
    .addHelpText('after', '\nExamples:\n  granary status\n  granary status --data /var/lib/granary --json\n  granary status --require-complete')
    .action(async (options: CommonOptions & { readonly requireComplete?: true }) => {
      const config = await configOf(context, options);
      const status = await withSiteReader(config, (reader) => readStatus(config, reader));
      print(context, options, { value: status, text: () => formatStatus(status) });
      const lacking = status.watched.filter(({ complete }) => !complete).length;
      if (options.requireComplete === true && lacking > 0)
        throw new AppError('problems-found', `status: ${lacking} of ${status.watched.length} are not complete`);
    });
  command(program, 'why', 'everything that is known of a package, a release, a file, or a repository')
    .argument('<purl>', 'such as pkg:pypi/click@8.1.7, or the address of a repository')
    .addHelpText('after', '\nExamples:\n  granary why pkg:pypi/click@8.1.7\n  granary why https://forge.example/owner/name')
    .action(async (purl: string, options: CommonOptions) => {
      await withSiteReader(await configOf(context, options), async ({ catalog, publicStore }) => {
        const repository = readRepositoryHistory(catalog, purl);
        if (repository !== undefined) return print(context, options, { value: { repository }, text: () => formatRepositoryHistory(repository) });
        const explanations = await explain({ catalog, blobs: publicStore.blobs }, purl);
        print(context, options, { value: { artifacts: explanations }, text: () => explanations.map(formatExplanation).join('\n\n') });
      });
    });
  command(program, 'diff', 'what differs between the published file and ours')
    .argument('<purl>', 'such as pkg:pypi/click@8.1.7')
    .addHelpText('after', '\nExample:\n  granary diff pkg:pypi/requests@2.31.0')
    .action(async (purl: string, options: CommonOptions) => {
      const diffs = await withSiteReader(await configOf(context, options), ({ catalog, publicStore }) =>
        readDiffs({ catalog, blobs: publicStore.blobs }, purl),
      );
      print(context, options, { value: { artifacts: diffs }, text: () => diffs.map(formatDiff).join('\n') });
    });
}

function addRebuilding(program: Command, context: ProgramContext): void {
  command(program, 'rebuild', 'run a recorded rebuild again, from what is stored alone, and compare')
    .argument('<purl>', 'such as pkg:pypi/click@8.1.7')
    .addHelpText('after', '\nExample:\n  granary rebuild pkg:pypi/click@8.1.7')
    .action(async (purl: string, options: CommonOptions) => {
      const reruns = await rebuildAgain(await configOf(context, options), purl, context.terminal.say);
      print(context, options, { value: { artifacts: reruns }, text: () => reruns.map(formatRerun).join('\n') });
      if (reruns.some(({ same }) => !same)) throw new AppError('problems-found', 'rebuild: something else came out than is recorded');
    });
}

function addChecking(program: Command, context: ProgramContext): void {
  command(program, 'verify', 'check a file against what a mirror signed; works offline')
    .argument('<file>', 'path of the artifact')
    .requiredOption('--key <file>', 'granary.pub of the mirror, or the PEM of its statement key')
    .requiredOption('--mirror <folder or URL>', 'the public folder of a mirror, or its address')
    .addHelpText('after', '\nExample:\n  granary verify click-8.1.7-py3-none-any.whl --key granary.pub --mirror http://127.0.0.1:8080')
    .action(async (file: string, options: CommonOptions & { readonly key: string; readonly mirror: string }) => {
      const publicKey = await readFile(options.key, 'utf8').catch((cause: unknown) => {
        throw new AppError('usage', `--key ${options.key}: can't be read; it is written as granary.pub into the mirror's data folder`, { cause });
      });
      const readerToken = context.environment['GRANARY_READER_TOKEN'];
      const report = await verifyFile({ file: { path: file }, publicKey, source: options.mirror, readerToken });
      print(context, options, { value: report, text: () => formatVerifyReport(report).trimEnd() });
      process.exitCode = verifyExitCode(report);
    });
  const ledger = program.command('ledger').description('the signed logs');
  command(ledger, 'check', 're-verify both ledgers, and every byte that they name')
    .addHelpText('after', '\nExample:\n  granary ledger check --data /var/lib/granary')
    .action(async (options: CommonOptions) => {
      const reports = await withSiteReader(await configOf(context, options), checkLedgers);
      print(context, options, { value: { ledgers: reports }, text: () => reports.map(formatLedgerReport).join('\n') });
      if (reports.some(({ report }) => report.problems.length > 0)) throw new AppError('problems-found', 'ledger check: problems were found');
    });
  const catalog = program.command('catalog').description('the database that is derived from the ledgers');
  command(catalog, 'rebuild', 'delete the catalog and fold the ledgers again')
    .addHelpText('after', '\nExample:\n  granary catalog rebuild --data /var/lib/granary')
    .action(async (options: CommonOptions) => {
      const rebuilt = await rebuildCatalog(await configOf(context, options));
      print(context, options, { value: rebuilt, text: () => `folded ${rebuilt.entries} entries; logical dump sha256:${rebuilt.dump}` });
    });
  command(program, 'doctor', 'what was discovered on this machine, what is missing, and how to mend it')
    .addHelpText('after', '\nExample:\n  granary doctor --config granary.yaml')
    .action(async (options: CommonOptions) => {
      const findings = await doctor(await configOf(context, options), context.environment);
      print(context, options, { value: { findings }, text: () => formatFindings(findings) });
      if (findings.some(({ state }) => state === 'missing')) throw new AppError('problems-found', 'doctor: something is missing');
    });
}

function parseAddress(text: string): string {
  const parsed = ConfigFile.shape.listen.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? '');
  return parsed.data;
}
