import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  GetResourcePolicyCommand,
  ListTagsOfResourceCommand,
  PutResourcePolicyCommand,
  type Tag,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { tableDefinition, timeToLiveAttribute } from '../../../shared/store/table.ts';

// A table that was restored has the rows, indexes and encryption of its source, and none of its other settings. IAM policies, alarms and event source mappings are the stacks', which name the
// restored table once the stage says so. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html

type Client = DynamoDBClient;

/** A table that is being changed takes no other change. Seconds. */
const changedWithin = 600;
const whenActive = (client: Client, TableName: string) =>
  waitUntilTableExists({ client, maxWaitTime: changedWithin, minDelay: 1 }, { TableName });

/** How a table is set, as far as a restore does not keep it. */
export interface TableSettings {
  readonly arn: string;
  readonly active: boolean;
  /** ARN of the key that encrypts it. */
  readonly key: string | undefined;
  readonly protection: boolean;
  /** ARN of its stream of both images; undefined where it has none. */
  readonly stream: string | undefined;
  /** Attribute by which rows are removed. */
  readonly timeToLive: string | undefined;
  /** Days to which it can be restored; undefined where it cannot. */
  readonly recoveryDays: number | undefined;
  /** Those that are not AWS's own. */
  readonly tags: readonly Tag[];
  /** Its own policy, as JSON. */
  readonly policy: string | undefined;
}

/** Whether a table is there to be used. One that is being made is asked for nothing else. */
export const isActive = async (client: Client, TableName: string): Promise<boolean> =>
  (await client.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus === 'ACTIVE';

/** Asks for all settings of a table. Five calls. */
export const settingsOf = async (client: Client, TableName: string): Promise<TableSettings> => {
  const { Table = {} } = await client.send(new DescribeTableCommand({ TableName }));
  const ResourceArn = Table.TableArn ?? '';
  const { TimeToLiveDescription: ttl } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  const { ContinuousBackupsDescription: backups } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName }),
  );
  const recovery = backups?.PointInTimeRecoveryDescription;
  const isImages = Table.StreamSpecification?.StreamViewType === 'NEW_AND_OLD_IMAGES';
  return {
    arn: ResourceArn,
    active: Table.TableStatus === 'ACTIVE',
    key: Table.SSEDescription?.KMSMasterKeyArn,
    protection: Table.DeletionProtectionEnabled === true,
    stream: Table.StreamSpecification?.StreamEnabled && isImages ? Table.LatestStreamArn : undefined,
    timeToLive: ttl?.TimeToLiveStatus?.startsWith('ENABL') ? ttl?.AttributeName : undefined,
    recoveryDays: recovery?.PointInTimeRecoveryStatus === 'ENABLED' ? (recovery.RecoveryPeriodInDays ?? 35) : undefined,
    tags: await tagsOf(client, ResourceArn),
    policy: await policyOf(client, ResourceArn),
  };
};

const tagsOf = async (client: Client, ResourceArn: string): Promise<readonly Tag[]> => {
  const tags: Tag[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new ListTagsOfResourceCommand({ ResourceArn, ...(NextToken === undefined ? {} : { NextToken }) }),
    );
    tags.push(...(page.Tags ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return tags.filter(({ Key = '' }) => !Key.startsWith('aws:'));
};

const policyOf = async (client: Client, ResourceArn: string): Promise<string | undefined> => {
  try {
    return (await client.send(new GetResourcePolicyCommand({ ResourceArn }))).Policy;
  } catch (error) {
    if (error instanceof Error && error.name === 'PolicyNotFoundException') return undefined;
    throw error;
  }
};

/** Sets a restored table as the old one is, but for its stream: what is taken over must not come out of it again. Does what is left to do. */
export const setLikeOld = async (client: Client, old: TableSettings, TableName: string): Promise<void> => {
  await whenActive(client, TableName);
  const now = await settingsOf(client, TableName);
  if (now.timeToLive === undefined)
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { Enabled: true, AttributeName: timeToLiveAttribute },
      }),
    );
  if (old.recoveryDays !== undefined && now.recoveryDays !== old.recoveryDays)
    await client.send(
      new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: true,
          RecoveryPeriodInDays: old.recoveryDays,
        },
      }),
    );
  const missing = old.tags.filter(({ Key, Value }) => !now.tags.some((tag) => tag.Key === Key && tag.Value === Value));
  if (missing.length > 0) await client.send(new TagResourceCommand({ ResourceArn: now.arn, Tags: missing }));
  const policy = old.policy?.replaceAll(old.arn, now.arn);
  if (policy !== undefined && policy !== now.policy)
    await client.send(new PutResourcePolicyCommand({ ResourceArn: now.arn, Policy: policy }));
  if (old.protection && !now.protection)
    await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true }));
};

/** Begins the stream of a table. What was written before is not in it. */
export const beginStream = async (client: Client, TableName: string): Promise<void> => {
  const { StreamSpecification } = tableDefinition(TableName);
  await whenActive(client, TableName);
  await client.send(new UpdateTableCommand({ TableName, StreamSpecification }));
  await whenActive(client, TableName);
};

/** What a restored table lacks, in words. */
export const lackingOf = (old: TableSettings, restored: TableSettings): readonly string[] => [
  ...(restored.active ? [] : ['it is not active yet']),
  ...(restored.key === old.key ? [] : ['another key encrypts it']),
  ...(restored.stream === undefined ? ['no stream of both images'] : []),
  ...(restored.timeToLive === timeToLiveAttribute ? [] : ['no time to live']),
  ...(restored.recoveryDays === old.recoveryDays ? [] : ['no point-in-time recovery, or for another time']),
  ...(restored.protection || !old.protection ? [] : ['no protection from deletion']),
  ...old.tags
    .filter(({ Key, Value }) => !restored.tags.some((tag) => tag.Key === Key && tag.Value === Value))
    .map(({ Key }) => `no tag ${Key}`),
  ...(old.policy === undefined || restored.policy !== undefined ? [] : ['no policy of its own']),
];
