import type { Discovery } from '@granary/contract/ecosystem';
import { npmCredentials } from './credentials.ts';

export const npmDiscovery: Discovery = {
  argv: ['npm', 'config', 'get', 'registry'],
  parse(output) {
    const [line = ''] = output
      .split('\n')
      .map((text) => text.trim().replace(/^"(.*)"$/, '$1'))
      .filter((text) => text !== '')
      .slice(-1);
    const url = URL.parse(line);
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
    return { index: url.href.endsWith('/') ? url.href : `${url.href}/`, files: [] };
  },
  credentials: npmCredentials,
};
