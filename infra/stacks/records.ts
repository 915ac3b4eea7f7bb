import { Aws, CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { tableDefinition, timeToLiveAttribute } from '../../shared/store/table.ts';
import { isFencedAt } from '../recovery-place.ts';
import type { StageConfig } from '../stages.ts';
import { fixedNames } from './fixed-names.ts';
import { LogKey } from './log-key.ts';
import { SecretsKey } from './secrets-key.ts';
import { letReplicationUse, tablePolicy } from './table-policy.ts';

export interface RecordsStackProps extends StackProps {
  readonly stage: StageConfig;
}

/** A table as functions and their roles name it. */
export interface ServingTable {
  readonly tableName: string;
  readonly tableArn: string;
  readonly streamArn: string;
}

/** Where records are kept: the one table with its key, the key of all logs, and that of the secrets of Subscriptions. */
export class RecordsStack extends Stack {
  readonly table: TableV2;
  /** The table that is used: this one, or another one that was restored from it. */
  readonly serving: ServingTable;
  readonly tableKey: Key;
  readonly logKey: LogKey;
  readonly secretsKey: SecretsKey;

  constructor(scope: Construct, id: string, { stage, ...props }: RecordsStackProps) {
    super(scope, id, props);
    const { recovery } = stage;
    const removalPolicy = stage.protected ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const names = fixedNames(stage.name);
    this.tableKey = new Key(this, 'TableKey', {
      description: `Concord ${stage.name}: records`,
      enableKeyRotation: true,
      removalPolicy,
    });
    const definition = tableDefinition('');
    this.table = new TableV2(this, 'Table', {
      tableName: names.table, // a replica has the same, and what works there knows it by that
      partitionKey: keyOf(definition, 'HASH'),
      sortKey: keyOf(definition, 'RANGE'),
      billing: Billing.onDemand(),
      dynamoStream: StreamViewType[definition.StreamSpecification.StreamViewType],
      timeToLiveAttribute,
      encryption: TableEncryptionV2.customerManagedKey(
        this.tableKey,
        recovery
          ? {
              [recovery.region]: `arn:${Aws.PARTITION}:kms:${recovery.region}:${Aws.ACCOUNT_ID}:${names.tableKeyAlias}`,
            }
          : {},
      ),
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: stage.recoveryDays,
      },
      deletionProtection: stage.protected,
      removalPolicy,
      ...(recovery
        ? {
            replicas: [
              {
                region: recovery.region,
                ...(recovery.writer === undefined
                  ? {}
                  : { resourcePolicy: tablePolicy({ fenced: isFencedAt('there', recovery) }) }),
              },
            ],
          }
        : {}),
      resourcePolicy: tablePolicy({ fenced: recovery !== undefined && isFencedAt('here', recovery) }),
    });
    this.serving = stage.restored ? this.#restored(stage.restored) : this.#own();
    if (recovery) letReplicationUse(this.tableKey, stage.region);
    this.secretsKey = new SecretsKey(this, 'SecretsKey', stage);
    this.logKey = new LogKey(this, 'LogKey', stage);
    new CfnOutput(this, 'SecretsKeyId', {
      value: this.secretsKey.keyId,
      description: 'Of the key of the secrets of Subscriptions: to be named where a recovery region takes it over',
    });
  }

  #own(): ServingTable {
    const { tableName, tableArn, tableStreamArn = '' } = this.table;
    return { tableName, tableArn, streamArn: tableStreamArn };
  }

  #restored({ tableName, streamArn }: NonNullable<StageConfig['restored']>): ServingTable {
    // The other stacks name what this one exports until they are deployed in turn, and CloudFormation removes no export that is named.
    // https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.Stack.html#exportwbrvalueexportedvalue-options
    const own = this.#own();
    for (const value of [own.tableName, own.tableArn, own.streamArn]) this.exportValue(value);
    const tableArn = this.formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName });
    return { tableName, tableArn, streamArn };
  }
}

const keyOf = ({ KeySchema, AttributeDefinitions }: ReturnType<typeof tableDefinition>, type: 'HASH' | 'RANGE') => {
  const name = KeySchema.find(({ KeyType }) => KeyType === type)?.AttributeName ?? '';
  const attribute = AttributeDefinitions.find(({ AttributeName }) => AttributeName === name);
  return { name, type: attribute?.AttributeType as AttributeType };
};
