import { EcosystemError, type Rebuilding } from '@granary/contract/ecosystem';
import { kindOf } from '../names.ts';
import { golangCommits } from './commits.ts';

/** A module's zip is a function of its commit: nothing is built, and nothing runs. */
export const golangRebuilding: Rebuilding = {
  strategy: {
    engine: 1,
    // What a proxy writes about a version isn't made from its source.
    eligible: ({ fileName }) => (kindOf(fileName) === 'zip' ? { ok: true } : { ok: false, failureClass: 'unsupported-ecosystem' }),
    commits: golangCommits,
    installableOf: () => undefined,
    propose: async () => ({ type: 'exhausted' }),
    compile({ target }) {
      throw new EcosystemError('unsupported', `${target.fileName}: nothing is built of a module`);
    },
    readNeeds: () => undefined,
    classifyFailure: () => 'build-failed',
  },
  rulesOf: (fileName) => (kindOf(fileName) === 'zip' ? { format: 'zip', normalizers: [], causeOf: () => undefined } : undefined),
};
