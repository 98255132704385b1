import { UpstreamError } from '@granary/contract/ports';
import { encodeBatchRequest, type FileAnswer, type LargeFile, LFS_MEDIA_TYPE, parseBatchAnswer } from '@granary/core/lfs';
import type { RepositoryPorts } from './repository-ports.ts';
import { type WhyMissing, whyMissing } from './why-missing.ts';

/** A hundred files with addresses and headers of some kilobytes each. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;

export type BatchLook =
  | {
      readonly type: 'answered';
      /** By digest. */
      readonly files: ReadonlyMap<string, FileAnswer>;
      /** Where it answered, after redirects. */
      readonly url: string;
    }
  | { readonly type: 'failed'; readonly why: WhyMissing };

/** Asks a repository's server where some large files are (docs/api/batch.md). Throws what is nobody's fault but ours. */
export async function askForLargeFiles(
  { upstream }: Pick<RepositoryPorts, 'upstream'>,
  { url, files }: { readonly url: string; readonly files: readonly LargeFile[] },
  signal: AbortSignal,
): Promise<BatchLook> {
  try {
    const response = await upstream.open({
      url: `${serverOf(url)}/objects/batch`,
      accept: LFS_MEDIA_TYPE,
      post: { contentType: LFS_MEDIA_TYPE, body: encodeBatchRequest(files) },
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    if (response.status !== 'ok') return { type: 'failed', why: 'no-server' };
    const answered = parseBatchAnswer(Buffer.concat(await Array.fromAsync(response.body)));
    return answered === undefined ? { type: 'failed', why: 'unreadable' } : { type: 'answered', files: answered, url: response.url };
  } catch (error) {
    const why = signal.aborted ? undefined : whyMissing(error);
    if (why === undefined) throw error;
    return { type: 'failed', why: error instanceof UpstreamError && error.code === 'too-large' ? 'unreadable' : why };
  }
}

/** docs/api/server-discovery.md: below the repository's address, with `.git`. */
function serverOf(url: string): string {
  return `${url.endsWith('.git') ? url : `${url}.git`}/info/lfs`;
}
