import { filedPrefix, heldPrefix } from '../../shared/audit/held/held-access.ts';
import { auditChainPartition, auditPartition, chainedPrefix } from '../../shared/store/keys.ts';
import type { Statement } from './statement.ts';
import { accessLogRows, accessLogStays, onRows, type TableResource, useKey } from './table-access.ts';

/** The bucket of digests and the key that encrypts it, as a policy names them. */
export interface DigestResource {
  readonly bucketArn: string;
  readonly keyArn: string;
  readonly region: string;
}

/** What the policy of the key that authenticates digests lets a function do with it. No policy of a role says anything of it. */
export const codeStatement = (digestKeyArn: string, action: 'GenerateMac' | 'VerifyMac'): Statement => ({
  actions: [`kms:${action}`],
  resources: [digestKeyArn],
});

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

/** Leaves traces where the table does not take them, and reads none: whoever leaves traces at all. */
export const holdStatements = (digests: DigestResource): Statement[] => [
  { actions: ['s3:PutObject'], resources: [`${digests.bucketArn}/${heldPrefix}*`] },
  useDigestKey(digests, ['GenerateDataKey']),
];

/** Files rows of the access log that were held, and says of each that it was filed. */
export const fileHeldStatements = (table: TableResource, digests: DigestResource): Statement[] => [
  onRows(table, ['PutItem'], 'StringLike', [accessLogRows]),
  ...accessLogStays(table),
  useKey(table),
  { actions: ['s3:GetObject'], resources: [`${digests.bucketArn}/${heldPrefix}*`] },
  { actions: ['s3:PutObject'], resources: [`${digests.bucketArn}/${filedPrefix}*`] },
  {
    actions: ['s3:ListBucket'],
    resources: [digests.bucketArn],
    conditions: { StringEquals: { 's3:prefix': [heldPrefix, filedPrefix] } },
  },
  useDigestKey(digests, ['Decrypt', 'GenerateDataKey']),
];

/** Who may not list a bucket is not told that an object is missing, but refused. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
const onDigests = (digests: DigestResource, actions: readonly string[], keyActions: readonly string[]): Statement[] => [
  { actions: actions.map((action) => `s3:${action}`), resources: [`${digests.bucketArn}/*`] },
  { actions: ['s3:ListBucket'], resources: [digests.bucketArn] },
  useDigestKey(digests, keyActions),
];

const useDigestKey = ({ keyArn, region }: DigestResource, actions: readonly string[]): Statement => ({
  actions: actions.map((action) => `kms:${action}`),
  resources: [keyArn],
  conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
});
