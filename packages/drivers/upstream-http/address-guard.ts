import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { UpstreamError } from '@granary/contract/ports';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';

/** How many milliseconds a connection may take to come up, TLS included. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Is the address on the public Internet? Loopback, private, link-local, reserved, multicast, mapped and tunnelled ranges are not. */
export function isPublicAddress(address: string): boolean {
  // A zone id names an interface of this machine: never public.
  if (!ipaddr.isValid(address) || address.includes('%')) return false;
  return ipaddr.process(address).range() === 'unicast';
}

/** The `host:port` of a URL, with the scheme's own port where it names none. */
export function authorityOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

/**
 * Connects to public addresses only, and to whatever a configured `host:port` resolves to. What was checked is what is
 * connected to: the check is the lookup of the connection itself, so a name that resolves differently a moment later gains nothing.
 */
export function guardedConnector(configured: ReadonlySet<string>, resolve: LookupFunction = systemLookup): buildConnector.connector {
  const trusted = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false });
  const guarded = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false, lookup: guardedLookup(resolve) });
  return (options, callback) => {
    const { hostname, port, protocol } = options;
    if (configured.has(`${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`)) return trusted(options, callback);
    // A literal address is connected to without a lookup.
    const literal = hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(literal) !== 0 && !isPublicAddress(literal)) return callback(refusal(hostname, literal), null);
    return guarded(options, callback);
  };
}

/** A lookup that leaves out every address that isn't public, and fails when none is left. */
export function guardedLookup(resolve: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 4);
      const addresses: readonly LookupAddress[] = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      const allowed = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = allowed;
      if (first === undefined) return callback(refusal(hostname, addresses.map(({ address }) => address).join(', ')), '', 4);
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}

function refusal(hostname: string, addresses: string): UpstreamError {
  return new UpstreamError(
    'refused-address',
    hostname,
    `connect to ${hostname}: ${addresses || 'no address'} is not on the public Internet, and the host isn't a configured upstream`,
  );
}
