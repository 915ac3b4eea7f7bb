import type { Places } from '../../grants/function-grants.ts';
import type { Asked } from './policy.ts';

/** What services do with the keys of what they encrypt, by the action that they do it for. */
const usesOfAction: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['Decrypt'],
  's3:PutObject': ['GenerateDataKey'],
  'sqs:SendMessage': ['Decrypt', 'GenerateDataKey'],
};

/**
 * What a service asks permission for in its caller's name, to use the key by which it encrypts: on a laptop nothing is encrypted, and a missing permission would show in the account alone.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 */
export const keyUsesOf = ({ action, resource }: Asked, { table, digests, wakes }: Places): readonly Asked[] => {
  const [service = ''] = action.split(':');
  const uses = service === 'dynamodb' ? ['Decrypt'] : (usesOfAction[action] ?? []);
  const keys = [
    [table.tableArn, table.keyArn],
    [`${table.bucketArn}/`, table.bucketKeyArn],
    [`${digests.bucketArn}/`, digests.keyArn],
    [wakes.queueArn, wakes.keyArn],
  ] as const;
  const keyArn = keys.find(([encrypted]) => resource.startsWith(encrypted))?.[1];
  if (keyArn === undefined) return [];
  return uses.map((use) => ({
    action: `kms:${use}`,
    resource: keyArn,
    context: (key) => (key === 'kms:ViaService' ? [`${service}.${table.region}.amazonaws.com`] : undefined),
  }));
};
