import type { Places } from '../../grants/function-grants.ts';
import { type Account, arnIn, keyArnIn } from './asked-of-services.ts';

/** What the stand-ins' resources are called. */
export interface LocalNames {
  readonly tableName: string;
  readonly bucketName: string;
  readonly digestBucketName: string;
  readonly digestKeyId: string;
  readonly secretsKeyId: string;
  readonly eventBusName: string;
  readonly wakeQueueArn: string;
}

/** The ARNs of what stands in for a deployment. Nothing is encrypted here; its keys have names all the same, for permissions to be about. */
export const localPlaces = (names: LocalNames, account: Account): Places => {
  const key = (name: string) => arnIn(account, 'kms', `key/${name}`);
  const { region } = account;
  return {
    table: {
      tableArn: arnIn(account, 'dynamodb', `table/${names.tableName}`),
      keyArn: key('table'),
      bucketArn: `arn:aws:s3:::${names.bucketName}`,
      bucketKeyArn: key('bodies'),
      region,
    },
    digests: { bucketArn: `arn:aws:s3:::${names.digestBucketName}`, keyArn: key('digest-objects'), region },
    digestKeyArn: keyArnIn(account, names.digestKeyId),
    secretsKeyArn: keyArnIn(account, names.secretsKeyId),
    busArn: arnIn(account, 'events', `event-bus/${names.eventBusName}`),
    wakes: { queueArn: names.wakeQueueArn, keyArn: key('sharing') },
  };
};
