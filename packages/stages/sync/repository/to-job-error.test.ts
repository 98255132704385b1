import { JobError, RepositoryError, UpstreamError } from '@granary/contract/ports';
import { GitFormatError } from '@granary/core/git';
import { expect, it } from 'vitest';
import { toJobError } from './to-job-error.ts';

const URL = 'https://forge.example/x';
const answered = (status: number) => new UpstreamError('bad-status', URL, `status ${status}`, { status });

it.each([
  ['at-once', 'nobody answers', new UpstreamError('unreachable', URL, 'x')],
  ['at-once', 'an answer broke off', new UpstreamError('truncated', URL, 'x')],
  ['at-once', 'an answer did not come', new UpstreamError('timeout', URL, 'x')],
  ['at-once', 'a server is in trouble', answered(502)],
  ['later', 'a server wants to know who asks', answered(401)],
  ['later', 'a server refuses', answered(403)],
  ['later', 'a server has had enough', new UpstreamError('busy', URL, 'x', { status: 429 })],
  ['later', 'an address is inside', new UpstreamError('refused-address', URL, 'x')],
  ['later', 'redirects have no end', new UpstreamError('too-many-redirects', URL, 'x')],
  ['later', 'an answer is too large', new UpstreamError('too-large', URL, 'x')],
  ['later', 'an answer is no HTTP', new UpstreamError('malformed', URL, 'x')],
  ['at-once', 'a git server gave a reason', new GitFormatError('remote-error', 'x')],
  ['at-once', 'an answer of git ends early', new GitFormatError('truncated', 'x')],
  ['later', 'an answer is not of git', new GitFormatError('malformed', 'x')],
  ['later', 'there are too many refs', new GitFormatError('too-many', 'x')],
  ['at-once', 'the disk is full', new RepositoryError('unavailable', 'x')],
  ['later', 'fsck refuses a pack', new RepositoryError('fsck', 'x')],
  ['never', 'somebody knows better', new JobError('never', 'x')],
])('%s a job is tried again where %s', (retry, _, cause) => {
  expect(toJobError('mirror it', cause)).toMatchObject({ name: 'JobError', retry, message: expect.stringMatching(/^mirror it: /), cause });
});

it('leaves alone what nobody foresaw', () => {
  const cause = new TypeError('x');

  expect(toJobError('mirror it', cause)).toBe(cause);
});
