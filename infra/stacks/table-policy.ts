import { Aws } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';

/** Writes of the data plane. A transaction is allowed by the actions it is made of. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
const writes = [
  'BatchWriteItem',
  'DeleteItem',
  'PartiQLDelete',
  'PartiQLInsert',
  'PartiQLUpdate',
  'PutItem',
  'UpdateItem',
].map((action) => `dynamodb:${action}`);

/** Under which DynamoDB itself replicates. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html */
const replicationRole = `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication`;

/** DynamoDB takes requests without TLS, too. https://docs.aws.amazon.com/general/latest/gr/ddb.html */
const tlsOnly = () =>
  new PolicyStatement({
    sid: 'TlsOnly',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['dynamodb:*'],
    resources: ['*'], // in a table's policy: this table
    conditions: { Bool: { 'aws:SecureTransport': 'false' } },
  });

/** Refuses the writes of everybody, whatever their own policies allow, so that what was forgotten in a region that must not write cannot write past the other one. Replication is excepted: a replica that refuses it for 20 hours becomes a table of its own, for ever. So are AWS's services, by which rows expire. */
const writeFence = () =>
  new PolicyStatement({
    sid: 'AnotherRegionWrites',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: writes,
    resources: ['*'],
    conditions: {
      ArnNotEquals: { 'aws:PrincipalArn': replicationRole },
      BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
    },
  });

/** The policy of the table in one region: it allows nobody anything. */
export const tablePolicy = ({ fenced }: { readonly fenced: boolean }): PolicyDocument =>
  new PolicyDocument({ statements: [tlsOnly(), ...(fenced ? [writeFence()] : [])] });

/** Lets replication use a key of a replica, through DynamoDB alone. */
export const letReplicationUse = (key: Key, region: string): void => {
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Replication',
      principals: [new AnyPrincipal()], // not the role itself, which an account has only after its first replica
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: ['*'],
      conditions: {
        ArnEquals: { 'aws:PrincipalArn': replicationRole },
        StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` },
      },
    }),
  );
};
