import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { cargo } from '@granary/ecosystem-cargo';

const PIP_HOSTS = 'from pip._internal.models.index import PyPI; print(PyPI.simple_url, PyPI.file_storage_domain)';

/**
 * The hosts that the package managers of this machine use, asked of them: they are configuration, and stand nowhere in the tree. What is not installed
 * has no answer.
 */
export function knownHosts(): readonly string[] {
  const answers = [
    ask('npm', 'config', 'get', 'registry'),
    ask('python3', '-c', PIP_HOSTS),
    cargo.discovery.parse(ask(...cargo.discovery.argv))?.index ?? '',
    ask('go', 'env', 'GOPROXY', 'GOSUMDB'),
    ...globSync(['/etc/apt/sources.list', '/etc/apt/sources.list.d/*']).map((file) => readFileSync(file, 'utf8')),
  ];
  return hostsIn(answers.join('\n'));
}

/** Host names in free text, with a scheme or without; loopback and addresses are nobody's name. */
export function hostsIn(text: string): readonly string[] {
  const uncommented = text.replace(/^\s*#.*$/gm, '');
  const names = [...uncommented.matchAll(/(?:^|[\s,|]|:\/\/(?:[^@\s/]*@)?)((?:[a-z0-9-]+\.)+[a-z]{2,})(?=[\s:/,|]|$)/gim)].map(([, host = '']) =>
    host.toLowerCase(),
  );
  return [...new Set(names)]
    .filter((host) => !/(^|\.)(localhost|example|invalid|test|local)$/.test(host) && !/\.(gpg|asc|list|sources)$/.test(host))
    .toSorted();
}

function ask(command: string, ...args: readonly string[]): string {
  const answer = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return answer.status === 0 ? answer.stdout : '';
}
