import { auditChainPartition, auditPartition, chainedPrefix } from '../../shared/store/keys.ts';
import type { Statement } from './statement.ts';
import { onRows, type TableResource, useKey } from './table-access.ts';

/** The bucket of digests and the key that encrypts it, as a policy names them. */
export interface DigestResource {
  readonly bucketArn: string;
  readonly keyArn: string;
  readonly region: string;
}

/** Reads where chains end, and writes that down. It changes nothing in the table. */
export const writeDigestsStatements = (table: TableResource, digests: DigestResource): Statement[] => [
  onRows(table, ['Query'], 'StringLike', [`${chainedPrefix}*`, auditChainPartition('*')]),
  useKey(table),
  ...onDigests(digests, ['GetObject', 'PutObject'], ['Decrypt', 'GenerateDataKey']),
];

/** Reads access logs, their chains and digests. */
export const verifyDigestsStatements = (table: TableResource, digests: DigestResource): Statement[] => [
  onRows(table, ['Query'], 'StringLike', [`${chainedPrefix}*`, `${auditPartition('')}*`]),
  useKey(table),
  ...onDigests(digests, ['GetObject'], ['Decrypt']),
];

/** Who may not list a bucket is not told that an object is missing, but refused. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
const onDigests = (
  { bucketArn, keyArn, region }: DigestResource,
  actions: readonly string[],
  keyActions: readonly string[],
): Statement[] => [
  { actions: actions.map((action) => `s3:${action}`), resources: [`${bucketArn}/*`] },
  { actions: ['s3:ListBucket'], resources: [bucketArn] },
  {
    actions: keyActions.map((action) => `kms:${action}`),
    resources: [keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
  },
];
