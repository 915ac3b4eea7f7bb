import { inflateRawSync } from 'node:zlib';
import { onTestFinished, vi } from 'vitest';
import { startAwsServices } from '../../infra/local/aws-services.ts';
import { useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { openKeyService } from '../../infra/local/key-service.ts';
import { unpackBody } from '../../shared/store/body.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { kmsSecretsKey } from '../../shared/store/secrets-key.ts';
import { subscriptionOf } from '../../shared/store/subscriptions/read-subscriptions.ts';
import { backportExtensions, signingSecretExtension } from '../../shared/subscriptions/backport.ts';
import { openSecrets } from '../../shared/subscriptions/secrets.ts';
import { removedAfterTest } from './removed-after-test.ts';
import { allRows } from './test-store.ts';

/** An endpoint that the rules take for one of the internet. Nothing is ever sent there. */
export const endpoint = 'https://hooks.subscriber.example.org/concord';
export const signingSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const authorization = 'Bearer verysecret';

/** A Subscription of all Observations, to be told of them by ids. */
export const subscriptionBody = (
  elements: Partial<fhir4.Subscription> = {},
  channel: Partial<fhir4.SubscriptionChannel> = {},
): fhir4.Subscription => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'Results for the register',
  criteria: 'https://concord.example/fhir/SubscriptionTopic/Observation',
  channel: { type: 'rest-hook', endpoint, payload: 'application/fhir+json', ...channel },
  ...elements,
});

export const filteredBy = (...values: string[]): Partial<fhir4.Subscription> => ({
  _criteria: { extension: values.map((valueString) => ({ url: backportExtensions.filter, valueString })) },
});

export const withContent = (valueCode: string): Partial<fhir4.SubscriptionChannel> => ({
  _payload: { extension: [{ url: backportExtensions.content, valueCode }] },
});

export const signedWith = (valueString: string): Partial<fhir4.SubscriptionChannel> => ({
  extension: [{ url: signingSecretExtension, valueString }],
});

/** Has this test's process encrypt secrets by a key of its own, until the test is over. */
export const useSecretsKey = async () => {
  useDummyCredentials();
  const folder = removedAfterTest();
  const { service, secretsKeyId } = openKeyService({
    digests: `${folder}/digest-key.json`,
    secrets: `${folder}/secrets-key.json`,
  });
  const { endpoint: at, stop } = await startAwsServices([service]);
  vi.stubEnv('AWS_ENDPOINT_URL_KMS', at);
  vi.stubEnv('SECRETS_KEY_ID', secretsKeyId);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await stop();
  });
  return {
    /** What the settings of a Subscription say, with its secrets opened as delivery opens them. */
    settingsOf: async (store: RecordStore, id: string, organization = 'northside') => {
      const { settings } = await subscriptionOf(store, { organization, id });
      const key = kmsSecretsKey(store.client, { keyId: secretsKeyId, endpoint: at });
      return settings && { ...settings, secrets: await openSecrets(key, id, settings.secrets) };
    },
  };
};

/** What is deflated, with or without a byte in front that says so: answers to requests that come once, long notifications, the log of a transaction. */
const inflated = (bytes: Uint8Array): Buffer => {
  for (const deflated of [bytes, bytes.subarray(1)]) {
    try {
      return inflateRawSync(deflated);
    } catch {
      // It is not deflated, or not from there on.
    }
  }
  return Buffer.from(bytes);
};

/** All that is stored, as text, bodies of records unpacked and all else that is deflated inflated. */
export const storedText = async (store: RecordStore): Promise<string> => {
  const rows = await allRows(store);
  const charts = new Set(rows.flatMap(({ pk }) => (pk.startsWith('C#') ? [pk.slice(2)] : [])));
  const unpacked = (body: Uint8Array): string => {
    for (const chart of charts) {
      try {
        return JSON.stringify(unpackBody(body, chart));
      } catch {
        // It is of another chart.
      }
    }
    throw new Error('A body is of no chart');
  };
  const textOf = (value: unknown): string =>
    value instanceof Uint8Array ? inflated(value).toString('latin1') : JSON.stringify(value);
  return rows
    .flatMap(({ body, ...others }) => [
      ...(body instanceof Uint8Array ? [unpacked(body)] : []),
      ...Object.values(others).map(textOf),
    ])
    .join('\n');
};
