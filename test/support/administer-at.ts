import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Place } from '../../infra/cli/admin/place.ts';
import { verbNamed } from '../../infra/cli/admin/run-admin.ts';
import type { Report } from '../../infra/cli/admin/verb.ts';
import { verbs } from '../../infra/cli/admin/verbs.ts';
import { indexByDay } from '../../shared/audit/index-by-day.ts';
import type { FhirServer } from './fhir-server.ts';
import { insertEvent } from './stream-events.ts';

/** Runs a command of `npm run admin` on the table of a server. */
export const administerAt = async (
  { store, bucket }: Pick<FhirServer, 'store'> & { readonly bucket: Pick<FhirServer['bucket'], 'bucket' | 'endpoint'> },
  now: number,
  words: readonly string[],
  more: Partial<Place> = {},
): Promise<Report> => {
  const place: Place = {
    name: 'a test',
    stage: undefined,
    url: 'https://concord.test/fhir',
    table: { client: store.client, tableName: store.tableName },
    objects: { bucket: bucket.bucket, endpoint: bucket.endpoint },
    staffPoolId: '',
    tokenEndpoint: '',
    federation: {},
    services: { region: 'us-east-1' },
    streams: { region: 'us-east-1' },
    deadLetters: () => Promise.resolve([]),
    canarySecret: undefined,
    close: () => undefined,
    ...more,
  };
  const { verb, rest } = verbNamed(verbs, words);
  const { run, dryRun } = verb.understand(rest, now);
  return run({
    place: () => Promise.resolve(place),
    operator: () => Promise.resolve({ name: 'jo@laptop' }),
    dryRun,
    now,
    say: () => undefined,
  });
};

/** Files what the access log has by organisation and day, as the stream consumer does. */
export const fileAccesses = async ({ store: { client, tableName } }: FhirServer): Promise<void> => {
  const { Items = [] } = await client.send(
    new ScanCommand({
      TableName: tableName,
      FilterExpression: 'begins_with(pk, :log)',
      ExpressionAttributeValues: { ':log': 'A#' },
    }),
  );
  await indexByDay(client, tableName, insertEvent(Items));
};
