import { checkGitHost } from '@granary/driver-git-native';
import type { Finding } from './doctor.ts';

const WHAT = 'native git';

/** Whether repositories can be taken in and served here. */
export async function gitFinding(): Promise<Finding> {
  const host = await checkGitHost();
  return host.ok ? { state: 'ok', what: WHAT, detail: `${host.version}, in namespaces of its own` } : { state: 'missing', what: WHAT, detail: host.why };
}
