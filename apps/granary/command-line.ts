import { type Config, readConfig } from '@granary/config';
import type { Command } from 'commander';
import type { Terminal } from './output/terminal.ts';

/** What the command line is given by the process. */
export interface ProgramContext {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}
/** Options of every command. */
export interface CommonOptions {
  readonly config?: string;
  readonly data?: string;
  readonly listen?: string;
  readonly json?: true;
  readonly once?: true;
  readonly events?: true;
}

export function command(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--config <file>', 'granary.yaml to read')
    .option('--data <folder>', 'data folder; the configuration says ./data')
    .option('--json', 'one line of JSON on standard output');
}

export async function configOf({ environment, cwd }: Pick<ProgramContext, 'environment' | 'cwd'>, options: CommonOptions): Promise<Config> {
  return await readConfig({ file: options.config, data: options.data, listen: options.listen }, environment, cwd);
}

export function print({ terminal }: ProgramContext, options: CommonOptions, result: { readonly value: unknown; readonly text: () => string }): void {
  terminal.result(options.json === true ? JSON.stringify(result.value) : result.text());
}
