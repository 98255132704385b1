import { RepositoryError } from '@granary/contract/ports';
import { gitLines } from './git-lines.ts';
import type { LookUp } from './look-up-objects.ts';
import { isTreePath } from './tree-path.ts';

const LOOK_UP_MS = 600_000;
const WHAT = 'look up paths';

export interface PathQuestion {
  readonly commit: string;
  readonly path: string;
}

/** Ids of what stands at paths in commits, in the order of the questions: one process answers them all (gitrevisions(7), `<rev>:<path>`). */
export async function objectsAt(lookUp: LookUp, questions: readonly PathQuestion[]): Promise<readonly (string | undefined)[]> {
  const asked = new Set(questions.filter(({ path }) => isTreePath(path)).map(textOf));
  const answers = await ask(lookUp, [...asked]);
  return questions.map((question) => answers.get(textOf(question)));
}

async function ask({ runner, places, signal }: LookUp, asked: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (asked.length === 0) return found;
  let answered = 0;
  let linesToSkip = 0;
  const lines = gitLines(runner, WHAT, {
    args: ['cat-file', '--batch-check=%(objectname)', '--buffer', '-z'],
    places,
    timeoutMs: LOOK_UP_MS,
    input: asked,
    inputEnd: '\0',
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const line of lines) {
    if (linesToSkip > 0) {
      linesToSkip -= 1;
      continue;
    }
    const question = asked[answered] ?? '';
    answered += 1;
    // Only of what isn't there the question is said again, with all line feeds that its path has (git-cat-file(1), batch output); an id has no colon.
    if (line.includes(':')) linesToSkip = question.split('\n').length - 1;
    else found.set(question, line);
  }
  if (answered !== asked.length) throw new RepositoryError('malformed', `${WHAT}: git answered ${answered} of ${asked.length} questions`);
  return found;
}

function textOf({ commit, path }: PathQuestion): string {
  return `${commit}:${path}`;
}
