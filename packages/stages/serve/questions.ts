import type { QuestionAnswer, Route } from '@granary/contract/ecosystem';
import type { Advisories, HttpRequest, HttpResponse } from '@granary/contract/ports';
import { lineAnswer } from './answers.ts';
import type { ServePorts } from './serve-ports.ts';
import type { Target } from './target.ts';

type ClientTarget = Extract<Target, { type: 'client' }>;

/** Nobody may take silence for good news. */
const NONE: Advisories = {
  of: async () => ({
    type: 'unknown',
    status: 424,
    why: 'no advisories are configured here, so that nothing is known of vulnerabilities: name a folder of OSV files in granary.yaml, advisories: {folder: PATH}',
  }),
};

/** Answers what a client asks with a body. What it means and what follows is the ecosystem's matter. */
export async function answerQuestion(
  { advisories = NONE }: Pick<ServePorts, 'advisories'>,
  { ecosystem }: ClientTarget,
  { name, maxBodyBytes }: Extract<Route, { type: 'question' }>,
  request: HttpRequest,
): Promise<HttpResponse> {
  if (request.method !== 'POST' || request.body === undefined) return lineAnswer(405, 'Granary answers this when it is asked with POST', ['allow', 'POST']);
  const body = await request.body(maxBodyBytes);
  if (body.type === 'refused') return lineAnswer(body.status, `Granary does not read this: ${body.why}`);
  const answer = await ecosystem.views.answerQuestion?.(name, body.bytes, { advisories });
  return answer === undefined ? lineAnswer(404, `Granary has no answer to ${name}`) : toResponse(answer);
}

/** A POST for what is only read. */
export function refusePost(): HttpResponse {
  return lineAnswer(405, 'Granary only serves: it takes nothing in here', ['allow', 'GET, HEAD']);
}

function toResponse(answer: QuestionAnswer): HttpResponse {
  switch (answer.type) {
    case 'refused':
      return lineAnswer(answer.status, `Granary can not tell: ${answer.why}`);
    case 'answered': {
      const { mediaType, bytes } = answer;
      return {
        status: 200,
        headers: ['content-type', mediaType, 'content-length', String(bytes.length), 'cache-control', 'no-store', 'x-content-type-options', 'nosniff'],
        body: bytes,
      };
    }
  }
}
