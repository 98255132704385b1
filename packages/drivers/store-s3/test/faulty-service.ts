import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { openS3Store, type Patience, type S3Service, type S3Store, type S3StoreOptions } from '../index.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { startTestService, type TestService } from './test-service.ts';

/** A real service with a proxy in front of it that can make faults, for the tests of one file. */
export interface FaultyService {
  readonly service: TestService;
  readonly proxy: FaultProxy;
  /** Closed when the test is over. */
  opened(place: S3Service, options?: Partial<S3StoreOptions>): Promise<S3Store>;
  /** A new bucket behind the proxy, which makes no more faults when the test is over. */
  behindProxy(patience: Patience): Promise<S3Service>;
}

/** To be called once at the top of a file: starts both before its tests, and stops them after. */
export function useFaultyService(): FaultyService {
  let service: TestService | undefined;
  let proxy: FaultProxy | undefined;
  beforeAll(async () => {
    service = await startTestService();
    proxy = await startFaultProxy(service.endpoint);
  }, 3_600_000);
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });
  const started = <T>(what: T | undefined): T => {
    if (what === undefined) throw new Error('used before the tests began');
    return what;
  };
  return {
    get service() {
      return started(service);
    },
    get proxy() {
      return started(proxy);
    },
    async opened(place, options = {}) {
      const store = await openS3Store({ ...place, scratchDir: started(service).scratchDir, ...options });
      onTestFinished(() => store[Symbol.asyncDispose]());
      return store;
    },
    async behindProxy(patience) {
      onTestFinished(() => started(proxy).decide(() => undefined));
      return { ...(await started(service).newBucket()), endpoint: started(proxy).endpoint, patience };
    },
  };
}
