import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ServiceError } from './service-error.ts';

/** A program that its authors give away as a Go package. */
export interface GoTool {
  /** `example.org/project/cmd/program`: the last part is the program's name. */
  readonly package: string;
  readonly version: `v${string}`;
}

const TOOLCHAIN = join(import.meta.dirname, '../../.toolchain');
/** The largest, cosign, takes 15 minutes on two cores. */
const BUILD_TIMEOUT_MS = 3_600_000;

/** Why the tool cannot be had here; undefined when it was built before, or Go is there to build it. */
export function goToolMissing(tool: GoTool): string | undefined {
  if (isGoToolBuilt(tool) || hasGo()) return undefined;
  return `Go is missing, which builds ${tool.package}@${tool.version}: install Go 1.26 or newer`;
}

export function isGoToolBuilt(tool: GoTool): boolean {
  return existsSync(programOf(tool));
}

/** Path of the program, built once into `.toolchain/<name>-<version>`. Throws ServiceError. */
export async function bringGoTool(tool: GoTool): Promise<string> {
  const program = programOf(tool);
  if (isGoToolBuilt(tool)) return program;
  const missing = goToolMissing(tool);
  if (missing !== undefined) throw new ServiceError('missing', missing);
  await mkdir(TOOLCHAIN, { recursive: true });
  // Built aside and renamed into place: a build that is interrupted leaves nothing that looks finished, and two at once do no harm.
  const aside = await mkdtemp(join(TOOLCHAIN, 'partial-go-'));
  try {
    const args = ['go', 'install', '-trimpath', '-ldflags=-s -w', `${tool.package}@${tool.version}`];
    await promisify(execFile)('nice', args, { env: { ...process.env, GOBIN: aside }, timeout: BUILD_TIMEOUT_MS, maxBuffer: 2 ** 24 });
    await rename(aside, folderOf(tool)).catch((error: unknown) => {
      if (!isGoToolBuilt(tool)) throw error;
    });
  } catch (cause) {
    const remedy = 'it needs Go 1.26 and a Go proxy that this machine reaches (`go env GOPROXY`)';
    throw new ServiceError('missing', `go install ${tool.package}@${tool.version}: ${remedy}: ${String(cause)}`, { cause });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return program;
}

function programOf(tool: GoTool): string {
  return join(folderOf(tool), nameOf(tool));
}

function folderOf(tool: GoTool): string {
  return join(TOOLCHAIN, `${nameOf(tool)}-${tool.version}`);
}

function nameOf(tool: GoTool): string {
  return tool.package.slice(tool.package.lastIndexOf('/') + 1);
}

function hasGo(): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, 'go')));
}
