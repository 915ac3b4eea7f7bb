import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Caller } from '../access/caller.ts';
import type { Policy } from '../access/policy.ts';
import { type Config, configFrom } from '../config.ts';
import { readDenials } from '../store/denylist.ts';
import { documentClient } from '../store/document-client.ts';
import { openStore } from '../store/open-store.ts';
import type { RecordStore } from '../store/record-store.ts';
import { Denylist } from './denylist.ts';
import { accessTokenVerifier } from './verify-access-token.ts';

/** What a function's requests share. Nothing of it talks to anybody before the first request. */
export interface Services {
  readonly verify: (authorization: string | undefined) => Promise<Caller>;
  readonly store: () => Promise<RecordStore>;
  readonly now: () => number;
  readonly policy: Policy;
  /** `Type/id` of all substance-use programmes, at most a minute old for a request that was verified. */
  readonly programmes: () => ReadonlySet<string>;
}

const services = (config: Config, client: DynamoDBDocumentClient): Services => {
  let store: Promise<RecordStore> | undefined;
  const { tableName, bucketName } = config;
  const open = () => openStore(client, tableName, { bucket: bucketName });
  const denylist = new Denylist(() => readDenials(client, tableName), Date.now);
  return {
    verify: accessTokenVerifier(config, denylist),
    store: () => {
      store ??= open();
      store.catch(() => {
        store = undefined; // the next request tries again
      });
      return store;
    },
    now: Date.now,
    policy: config.policy,
    programmes: () => denylist.programmes,
  };
};

let shared: Services | undefined;

/** The services of this process, made from its environment at the first request. */
export const servicesFromEnvironment = (): Services => {
  shared ??= services(configFrom(process.env), documentClient());
  return shared;
};
