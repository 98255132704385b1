import { EcosystemError, type Rebuilding } from '@granary/contract/ecosystem';
import { kindOf } from '../names.ts';
import { golangCommits } from './commits.ts';

/** Each file of a module is a function of its commit: nothing is built, and nothing runs. */
export const golangRebuilding: Rebuilding = {
  strategy: {
    engine: 1,
    // What a checksum database said of modules comes from no commit.
    eligible: ({ fileName }) => (kindOf(fileName) === undefined ? { ok: false, failureClass: 'unsupported-ecosystem' } : { ok: true }),
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
