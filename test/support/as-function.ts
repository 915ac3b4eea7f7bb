import { dummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { localAccount } from '../../infra/local/event-bus.ts';
import { inNameOf, type Role, roleOf } from '../../infra/local/iam/enforce-grants.ts';
import { localPlaces } from '../../infra/local/iam/local-places.ts';
import { digestKeyId, secretsKeyId } from '../../infra/local/key-service.ts';

/** What a test calls its table and its buckets. */
export interface NamesOfTest {
  readonly tableName: string;
  readonly bucketName?: string | undefined;
  readonly digestBucketName?: string | undefined;
}

/** The role of an entry on the resources of a test. */
export const roleIn = (
  { tableName, bucketName = 'none', digestBucketName = 'none' }: NamesOfTest,
  entry: string,
): Role => {
  const account = { region: dummyCredentials.AWS_REGION, id: localAccount };
  const places = localPlaces(
    {
      tableName,
      bucketName,
      digestBucketName,
      digestKeyId,
      secretsKeyId,
      eventBusName: 'none',
      wakeQueueArn: 'none',
    },
    account,
  );
  return roleOf(entry, places, account);
};

interface Store {
  readonly tableName: string;
  readonly objects: { readonly at: { readonly bucket: string } };
}

/** Runs something as the function of an entry runs it, judged by what its role allows, on the table and the bucket of a store. */
export const asFunction = <Result>(entry: string, { tableName, objects }: Store, run: () => Result): Result =>
  inNameOf(roleIn({ tableName, bucketName: objects.at.bucket }, entry), run);
