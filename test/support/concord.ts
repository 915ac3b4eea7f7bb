import { type Concord, type ConcordOptions, startConcord } from '../../infra/local/concord.ts';
import { documentClient } from '../../shared/store/document-client.ts';
import { openStore } from '../../shared/store/open-store.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { scratchFolder } from './dynamodb.ts';

let shared: Promise<Concord> | undefined;

/**
 * The whole of Concord, with its directory, which the test files of this worker share: each test makes patients of its own.
 * It ends with the worker, and its data with it.
 */
export const sharedConcord = (): Promise<Concord> => {
  shared ??= startConcord({ port: 0, dataDir: scratchFolder(), scratch: true });
  return shared;
};

/** A stack of one's own without the functions, the directory and the stream's consumers, for what the stack itself does. */
export const bareStack = (options: Partial<ConcordOptions> = {}): Promise<Concord> =>
  startConcord({
    port: 0,
    dataDir: options.dataDir ?? scratchFolder(),
    scratch: true,
    seed: false,
    routes: [],
    consumers: [],
    schedule: [],
    queueConsumers: [],
    poolFunctions: false,
    ...options,
  });

/** The store of the stack that runs in this process. */
export const storeOfStack = async (): Promise<RecordStore> => {
  const { TABLE_NAME = '', BUCKET_NAME: bucket = '' } = process.env;
  return openStore(documentClient(), TABLE_NAME, { bucket });
};
