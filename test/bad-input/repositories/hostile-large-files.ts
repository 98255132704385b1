import { type Sha256, sha256 } from '@granary/core/model';
import { z } from 'zod';
import { type Answer, type Answers, type AskedOf, announcing } from './hostile-forge.ts';

/** What a server of large files answers to the question for all, and for one. */
export interface LargeFilesAnswers {
  readonly batch: FilesAnswer;
  readonly file: Answer;
  /** Hears of each file that is asked for. */
  readonly onFile: (asked: AskedOf) => void;
}
/** `files`: an address of its own where bytes may be asked for. */
export type FilesAnswer = (response: Parameters<Answer>[0], asked: AskedOf & { readonly files: string }) => void;

const Batch = z.object({ objects: z.array(z.object({ oid: z.string(), size: z.number() })) });
const FILES = '/files/';

/** The specification, The Pointer. */
export function pointerTo(oid: Sha256, sizeBytes: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${sizeBytes}\n`;
}

/** A repository's server that has these bytes as its only large file, and says of every other that it has it too. */
export function largeFilesServer(repository: Pick<Answers, 'list' | 'fetch'>, bytes: Uint8Array, changed: Partial<LargeFilesAnswers>): Answers {
  const { batch = honestBatch, file = (response) => void response.writeHead(200, { 'content-length': bytes.length }).end(bytes), onFile } = changed;
  return {
    list: repository.list,
    announce(response, asked) {
      if (!asked.path.startsWith(FILES)) return announcing()(response, asked);
      onFile?.(asked);
      file(response, asked);
    },
    fetch(response, asked) {
      if (asked.path !== '/x.git/info/lfs/objects/batch') return repository.fetch(response, asked);
      batch(response, { ...asked, files: `http://${asked.headers.host}${FILES}${sha256(bytes)}` });
    },
  };
}

function honestBatch(response: Parameters<Answer>[0], { headers, body }: AskedOf): void {
  const objects = Batch.parse(JSON.parse(body)).objects.map(({ oid, size }) => {
    const download = { href: `http://${headers.host}${FILES}${oid}` };
    return { oid, size, actions: { download } };
  });
  response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' }).end(JSON.stringify({ transfer: 'basic', objects }));
}
