import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { auditChainPartition, auditPartition, chainedPrefix } from '../../shared/store/keys.ts';
import { onRows, type TableResource, useKey } from './table-access.ts';

/** The bucket of digests and the key that encrypts it, as a policy names them. */
export interface DigestResource {
  readonly bucketArn: string;
  readonly keyArn: string;
  readonly region: string;
}

/** Reads where chains end, and writes that down. It changes nothing in the table. */
export const writeDigestsStatements = (table: TableResource, digests: DigestResource): PolicyStatement[] => [
  onRows(table, ['Query'], 'StringLike', [`${chainedPrefix}*`, auditChainPartition('*')]),
  useKey(table),
  ...onDigests(digests, ['GetObject', 'PutObject'], ['Decrypt', 'GenerateDataKey']),
];

/** Reads access logs, their chains and digests. */
export const verifyDigestsStatements = (table: TableResource, digests: DigestResource): PolicyStatement[] => [
  onRows(table, ['Query'], 'StringLike', [`${chainedPrefix}*`, `${auditPartition('')}*`]),
  useKey(table),
  ...onDigests(digests, ['GetObject'], ['Decrypt']),
];

/** Who may not list a bucket is not told that an object is missing, but refused. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
const onDigests = (
  { bucketArn, keyArn, region }: DigestResource,
  actions: readonly string[],
  keyActions: readonly string[],
): PolicyStatement[] => [
  new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources: [`${bucketArn}/*`] }),
  new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucketArn] }),
  new PolicyStatement({
    actions: keyActions.map((action) => `kms:${action}`),
    resources: [keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
  }),
];
