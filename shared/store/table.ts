import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/** Attribute by which DynamoDB removes rows that are past their use, in seconds since 1970. */
export const timeToLiveAttribute = 'expires';

/**
 * The one table. Its keys are in keys.ts, its rows in rows.ts.
 * The stream carries both images: the publisher tells a record that became visible from one that was only staged.
 */
export const tableDefinition = (tableName: string) =>
  ({
    TableName: tableName,
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  }) satisfies CreateTableCommandInput;
