import { quarantinePrefix } from '../../shared/store/content-objects.ts';
import {
  feedPrefix,
  feedProgressPartition,
  listenersPartition,
  passedOverPartition,
  reconciliationKey,
  sequencePrefix,
  toldSightsPrefix,
} from '../../shared/store/feed/feed-keys.ts';
import {
  applicationsPartition,
  auditChainPartition,
  auditPartition,
  chainedPrefix,
  chartKey,
  deniedPartition,
  deploymentKeyKey,
  disclosurePrefix,
  registryPartition,
  uploadPartition,
} from '../../shared/store/keys.ts';
import { remindedToKey, reminderPrefix } from '../../shared/store/reminder-rows.ts';
import { notificationPrefix, subscriptionsPrefix } from '../../shared/store/subscriptions/subscription-keys.ts';
import type { Statement } from './statement.ts';

/** The table and the bucket of its large bodies, each with its key, as a policy names them. */
export interface TableResource {
  readonly tableArn: string;
  readonly keyArn: string;
  readonly bucketArn: string;
  readonly bucketKeyArn: string;
  readonly region: string;
}

/**
 * Actions of a function that serves or settles records. A transaction is allowed by the actions it is made of, so it has none of its
 * own; nothing is ever scanned. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
 */
const itemActions = [
  'GetItem',
  'BatchGetItem',
  'Query',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'ConditionCheckItem',
  'BatchWriteItem',
].map((action) => `dynamodb:${action}`);

export const accessLogRows = `${auditPartition('')}*`;

/** What a function may do that serves records. An object is written once, so it may remove none. */
export const recordStatements = (table: TableResource): Statement[] => [
  ...rowStatements(table),
  toldStays(table, `${toldSightsPrefix}*`),
  onObjects(table, 'GetObject', 'PutObject'),
  useKeyForObjects(table),
];

/** Besides, what of uploads is looked at before they become Binaries: their checksums, and what a scanner says. */
export const uploadStatements = ({ bucketArn }: TableResource): Statement[] => [
  {
    actions: ['s3:GetObjectAttributes', 's3:GetObjectTagging'],
    resources: [`${bucketArn}/${quarantinePrefix}*`],
  },
];

/** What settles transactions that a function left behind, and removes bodies whose commit never came. It reads none. */
export const sweepStatements = (table: TableResource): Statement[] => [
  ...rowStatements(table),
  toldStays(table),
  onObjects(table, 'DeleteObject'),
];

const rowStatements = (table: TableResource): Statement[] => [
  { actions: itemActions, resources: [table.tableArn] },
  ...accessLogStays(table),
  applicationsStay(table),
  useKey(table),
];

/** Actions by which a row becomes another one, or none. */
const writingActions = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].map((action) => `dynamodb:${action}`);

/** What was told of changes, and what is to be reminded of, is written by what stands behind the stream alone, though whoever serves records writes rows of many kinds. */
const toldStays = ({ tableArn }: TableResource, ...further: readonly string[]): Statement => ({
  sid: 'WhatWasToldStays',
  effect: 'Deny',
  actions: writingActions,
  resources: [tableArn],
  conditions: {
    'ForAnyValue:StringLike': {
      'dynamodb:LeadingKeys': [
        `${feedPrefix}*`,
        feedProgressPartition,
        reconciliationKey.pk,
        `${sequencePrefix}*`,
        `${reminderPrefix}*`,
        remindedToKey.pk,
        ...further,
      ],
    },
  },
});

/** For which organisation an application acts, and that its access has ended, is written by operators alone (`npm run admin`): a function that could would let any client be anybody's. */
const applicationsStay = ({ tableArn }: TableResource): Statement => ({
  sid: 'ApplicationsStay',
  effect: 'Deny',
  actions: writingActions,
  resources: [tableArn],
  conditions: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': [applicationsPartition] } },
});

/**
 * Whatever else a role is allowed: a row of an access log, once put, is never changed or removed. A batch has an action of its own, which tells puts and deletions not apart, so logs are not written by
 * batches. That a row is not put in another's place each put has to ask for itself; the log's chain tells of one that was.
 */
export const accessLogStays = (table: TableResource): Statement[] => [logsStay(table), chainsStay(table)];

const logsStay = ({ tableArn }: TableResource): Statement => ({
  sid: 'AccessLogStays',
  effect: 'Deny',
  actions: ['dynamodb:DeleteItem', 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem'],
  resources: [tableArn],
  conditions: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': [accessLogRows] } },
});

/** The chain over a log, and what its digests go by, are written by one function alone: whoever writes a log could else write its proof. */
const chainsStay = ({ tableArn }: TableResource): Statement => ({
  sid: 'ChainsStay',
  effect: 'Deny',
  actions: writingActions,
  resources: [tableArn],
  conditions: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': [auditChainPartition('*'), `${chainedPrefix}*`] } },
});

/** What shows records and changes none: it reads, leaves its trace, and writes nothing else but the deployment's secret where there is none yet. */
export const showStatements = (table: TableResource, ...further: readonly string[]): Statement[] => [
  {
    actions: ['GetItem', 'BatchGetItem', 'Query'].map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
  },
  onRows(table, ['PutItem'], 'StringLike', [accessLogRows, deploymentKeyKey.pk, ...further]),
  ...accessLogStays(table),
  useKey(table),
  onObjects(table, 'GetObject'),
  useKeyForObjects(table),
];

/** What shows what was changed: it notes besides which organisations ask, and what could not be shown to them. */
export const historyStatements = (table: TableResource): Statement[] =>
  showStatements(table, listenersPartition, passedOverPartition);

/** Writes sign-ins into the log. It may be the first of all, and makes the deployment's secret then. */
export const signInStatements = (table: TableResource): Statement[] => [
  onRows(table, ['GetItem'], 'StringEquals', [deploymentKeyKey.pk]),
  ...writeSignIns(table),
];

const writeSignIns = (table: TableResource): Statement[] => [
  onRows(table, ['PutItem'], 'StringLike', [accessLogRows, deploymentKeyKey.pk]),
  ...accessLogStays(table),
  useKey(table),
];

/** Likewise, and reads whose application asks for a token: that of staff and applications. */
export const staffSignInStatements = (table: TableResource): Statement[] => [
  onRows(table, ['GetItem'], 'StringEquals', [deploymentKeyKey.pk, applicationsPartition]),
  ...writeSignIns(table),
];

/** Denies users, and writes failed sign-ins into the log, where it reads who the user was at the last one. */
export const followPoolStatements = (table: TableResource): Statement[] => [
  onRows(table, ['GetItem'], 'StringEquals', [deploymentKeyKey.pk]),
  onRows(table, ['PutItem'], 'StringLike', [accessLogRows, deniedPartition, deploymentKeyKey.pk]),
  onRows(table, ['Query'], 'StringLike', [accessLogRows]),
  ...accessLogStays(table),
  useKey(table),
];

/** Files rows of the access log a second time, and reads nothing but where chains end and who keeps a chart. */
export const fileAccessesStatements = (table: TableResource): Statement[] => [
  onRows(table, ['PutItem'], 'StringLike', [accessLogRows, `${chainedPrefix}*`, `${disclosurePrefix}*`]),
  onRows(table, ['DeleteItem'], 'StringLike', [`${disclosurePrefix}*`]),
  onRows(table, ['Query'], 'StringLike', [auditChainPartition('*')]),
  whoKeepsCharts(table),
  logsStay(table),
  useKey(table),
];

/**
 * Tells of changes. Whether somebody may know of one is decided by what the record says and what opens its chart, so it reads all of that; it writes what was told, how far it has come, the
 * deployment's secret where there is none yet, and nothing else.
 */
export const publishStatements = (table: TableResource): Statement[] => [
  {
    actions: ['GetItem', 'BatchGetItem', 'Query'].map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
  },
  onRows(table, ['BatchWriteItem'], 'StringLike', [`${feedPrefix}*`, feedProgressPartition]),
  onRows(table, ['PutItem'], 'StringLike', [`${sequencePrefix}*`, feedProgressPartition, deploymentKeyKey.pk]),
  onRows(table, ['UpdateItem'], 'StringLike', [feedProgressPartition, `${toldSightsPrefix}*`]),
  ...accessLogStays(table),
  useKey(table),
  onObjects(table, 'GetObject'),
  useKeyForObjects(table),
];

/** Publishes charts that were parked, which are parked no more then, and tells once more of what was passed over. */
export const retryParkedStatements = (table: TableResource): Statement[] => [
  ...publishStatements(table),
  onRows(table, ['DeleteItem'], 'StringEquals', [feedProgressPartition, passedOverPartition]),
];

/** Publishes what the feed lacks, closes gaps, and keeps how far it has come. */
export const reconcileStatements = (table: TableResource): Statement[] => [
  ...publishStatements(table),
  onRows(table, ['DeleteItem'], 'StringEquals', [feedProgressPartition]),
  onRows(table, ['PutItem'], 'StringEquals', [reconciliationKey.pk]),
];

/** Finds what is to be reminded of, and notes that and nothing else. */
export const remindStatements = (table: TableResource): Statement[] => [
  {
    actions: ['GetItem', 'BatchGetItem', 'Query'].map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
  },
  onRows(table, ['PutItem', 'BatchWriteItem'], 'StringLike', [
    `${reminderPrefix}*`,
    remindedToKey.pk,
    deploymentKeyKey.pk,
  ]),
  ...accessLogStays(table),
  useKey(table),
  onObjects(table, 'GetObject'),
  useKeyForObjects(table),
];

/** Reads records, and writes nothing: what decides who may know of a change. The deployment's secret is there before any record is. */
export const readStatements = (table: TableResource): Statement[] => [
  {
    actions: ['GetItem', 'BatchGetItem', 'Query'].map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
  },
  useKey(table),
  onObjects(table, 'GetObject'),
  useKeyForObjects(table),
];

/**
 * Decides what may be told, which any row may have a say in, and notes what was told. Of records it writes versions of Subscriptions alone, with the rows that go with one; policies cannot
 * tell these from others.
 */
export const deliverStatements = (table: TableResource): Statement[] => [
  {
    actions: ['GetItem', 'BatchGetItem', 'Query'].map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
  },
  onRows(table, ['PutItem', 'UpdateItem', 'DeleteItem'], 'StringLike', [
    `${subscriptionsPrefix}*`,
    `${notificationPrefix}*`,
    chartKey('*'),
    registryPartition('*', 'Subscription', '*', '*'),
    uploadPartition('*'),
  ]),
  onRows(table, ['PutItem'], 'StringLike', [accessLogRows, deploymentKeyKey.pk, passedOverPartition]),
  ...accessLogStays(table),
  useKey(table),
  onObjects(table, 'GetObject', 'PutObject'),
  useKeyForObjects(table),
];

/** Looks which Subscriptions are due, and nothing else. */
export const tickStatements = (table: TableResource): Statement[] => [
  onRows(table, ['Query'], 'StringLike', [`${subscriptionsPrefix}*`]),
  useKey(table),
];

const onObjects = ({ bucketArn }: TableResource, ...actions: readonly string[]): Statement => ({
  actions: actions.map((action) => `s3:${action}`),
  resources: [`${bucketArn}/*`],
});

/** Actions on rows of these partitions and no others. */
export const onRows = (
  { tableArn }: TableResource,
  actions: readonly string[],
  comparison: 'StringEquals' | 'StringLike',
  partitions: readonly string[],
): Statement => ({
  actions: actions.map((action) => `dynamodb:${action}`),
  resources: [tableArn],
  conditions: {
    [`ForAllValues:${comparison}`]: { 'dynamodb:LeadingKeys': [...partitions] },
    Null: { 'dynamodb:LeadingKeys': 'false' }, // else no key at all would match too
  },
});

/**
 * Of charts who keeps them, and nothing else. That attributes are named is asked for by itself; whether all of them are wanted is told of some reads and not of others.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_dynamodb_attributes.html
 */
const whoKeepsCharts = ({ tableArn }: TableResource): Statement => ({
  actions: ['dynamodb:BatchGetItem'],
  resources: [tableArn],
  conditions: {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [chartKey('*')] },
    'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'sk', 'custodian'] },
    StringEqualsIfExists: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
    Null: { 'dynamodb:LeadingKeys': 'false', 'dynamodb:Attributes': 'false' },
  },
});

/** S3 likewise. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html */
const useKeyForObjects = ({ bucketKeyArn, region }: TableResource): Statement => ({
  actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
  resources: [bucketKeyArn],
  conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } },
});

/** DynamoDB uses the table's key in the name of whoever calls it. https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html */
export const useKey = ({ keyArn, region }: TableResource): Statement => ({
  actions: [
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:Encrypt',
    'kms:GenerateDataKey',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
  ],
  resources: [keyArn],
  conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` } },
});
