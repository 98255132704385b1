import type { UploadPackRequest } from '@granary/contract/ports';

/** gitprotocol-v2, Command Request: a length of four digits, and the command. */
const LISTS_REFS = /^[0-9a-f]{4}command=ls-refs$/i;
const START_BYTES = '0014command=ls-refs'.length;

/** The same request, and whether it asks for more than refs; that is known once git has read it. Without protocol 2 all that is posted asks for objects. */
export function askedFor(request: UploadPackRequest): { readonly request: UploadPackRequest; forObjects(): boolean } {
  let start = '';
  /** No generator: whoever lets go of it lets go of the source at once, also of one that never answers. */
  const iterate = (): AsyncIterator<Uint8Array> => {
    const source = request.body[Symbol.asyncIterator]();
    return {
      async next() {
        const next = await source.next();
        if (next.done !== true && start.length < START_BYTES) start += Buffer.from(next.value.subarray(0, START_BYTES - start.length)).toString('latin1');
        return next;
      },
      return: async () => (await source.return?.()) ?? { done: true, value: undefined },
    };
  };
  return {
    request: { ...request, body: { [Symbol.asyncIterator]: iterate } },
    forObjects: () => request.operation === 'upload-pack' && !LISTS_REFS.test(start),
  };
}
