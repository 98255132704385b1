import type { IncomingMessage } from 'node:http';
import { Client } from 'minio';
import { readAtMost } from './answer-body.ts';
import { faultOf, S3Fault } from './s3-fault.ts';
import { PATIENCE, type Patience, type S3Service } from './s3-service.ts';
import { openTransport } from './transport.ts';

/** minio's client makes addresses, signatures and messages; our transport sees to what isn't a success. */
export interface Wire {
  readonly client: Client;
  readonly bucket: string;
  readonly patience: Patience;
  close(): void;
}
interface Ask {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly key?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Uint8Array;
}

/** What a service says about a write, which is next to nothing. */
const MAX_RECEIPT_BYTES = 65_536;

export function openWire(service: S3Service): Wire {
  const patience = service.patience ?? PATIENCE;
  const { hostname, port, protocol } = endpointOf(service.endpoint);
  const transport = openTransport(protocol, patience);
  const client = new Client({
    endPoint: hostname,
    ...(port === undefined ? {} : { port }),
    useSSL: protocol === 'https',
    region: service.region,
    accessKey: service.accessKey,
    secretKey: service.secretKey,
    ...transport.options,
    // Retried by us, who know what a request that came to nothing may have done.
    retryOptions: { disableRetry: true },
  });
  // The digest of every body is part of the signature, over TLS as well: the service checks what arrived.
  client.enableSHA256 = true;
  return { client, bucket: service.bucket, patience, close: transport.close };
}

export function ask({ client, bucket }: Wire, { method, key, query, headers = {}, bytes = new Uint8Array() }: Ask): Promise<IncomingMessage> {
  const request = {
    method,
    bucketName: bucket,
    headers: { ...headers },
    ...(key === undefined ? {} : { objectName: key }),
    ...(query === undefined ? {} : { query }),
  };
  return understood(client.makeRequestAsync(request, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), [200, 204, 206]));
}

/** Sends it and reads what is said about it: the beginning, for messages. */
export async function receiptOf(wire: Wire, request: Ask): Promise<{ readonly etag: string | undefined; readonly said: string }> {
  const answer = await ask(wire, request);
  const receipt = await understood(readAtMost(answer, MAX_RECEIPT_BYTES, wire.patience));
  return { etag: answer.headers.etag, said: receipt === undefined ? 'more than a receipt' : new TextDecoder().decode(receipt.subarray(0, 200)) };
}

/** A write that took place names the version it made; a success without one is no success, whatever its status says. */
export async function write(wire: Wire, request: Ask): Promise<string> {
  const { etag, said } = await receiptOf(wire, request);
  if (etag === undefined || etag === '') throw new S3Fault('transient', `a success that is none: ${said}`);
  return etag;
}

/** Whatever minio's client throws becomes a fault. */
export async function understood<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw faultOf(error);
  }
}

/** Throws RangeError: the configuration has checked it before. */
function endpointOf(endpoint: string): { readonly hostname: string; readonly port: number | undefined; readonly protocol: 'http' | 'https' } {
  const { protocol, hostname, port, pathname, search, username } = new URL(endpoint);
  if ((protocol !== 'http:' && protocol !== 'https:') || pathname !== '/' || search !== '' || username !== '')
    throw new RangeError(`S3 endpoint ${endpoint}: expected http://HOST:PORT or https://HOST:PORT`);
  return { hostname: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? undefined : Number(port), protocol: protocol === 'http:' ? 'http' : 'https' };
}
