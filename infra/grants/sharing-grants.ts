import { eventSource } from '../../shared/changes/record-changed.ts';
import {
  type DigestResource,
  fileHeldStatements,
  holdStatements,
  verifyDigestsStatements,
  writeDigestsStatements,
} from './digest-access.ts';
import { listed } from './grants.ts';
import { type QueueResource, sendStatements } from './queue-access.ts';
import { secretsStatement } from './secrets-access.ts';
import type { Statement } from './statement.ts';
import {
  deliverStatements,
  fileAccessesStatements,
  publishStatements,
  readStatements,
  reconcileStatements,
  recordStatements,
  remindStatements,
  retryParkedStatements,
  sweepStatements,
  type TableResource,
  tickStatements,
} from './table-access.ts';

export interface SharingPlaces {
  readonly table: TableResource;
  readonly digests: DigestResource;
  /** Of the key that encrypts secrets of Subscriptions. */
  readonly secretsKeyArn: string;
  readonly busArn: string;
  /** The queue that wakes Subscriptions. */
  readonly wakes: QueueResource;
}

/** Publishes what the records are the source of, and nothing in another's name. */
const putEvents = (busArn: string): Statement => ({
  actions: ['events:PutEvents'],
  resources: [busArn],
  conditions: { StringEquals: { 'events:source': eventSource } },
});

/** What tells of changes, as they come or later. */
const publishing =
  (statements: (table: TableResource) => readonly Statement[]) =>
  ({ table, wakes, busArn }: SharingPlaces): readonly Statement[] => [
    ...statements(table),
    ...sendStatements(wakes),
    putEvents(busArn),
  ];

/** What the functions behind the table may do, besides what their event sources do in their name. */
export const sharingGrants = listed<SharingPlaces>({
  'functions/publish-changes.ts': publishing(publishStatements),
  'functions/retry-parked.ts': publishing(retryParkedStatements),
  'functions/reconcile-feed.ts': publishing(reconcileStatements),
  'functions/replay-changes.ts': ({ table, busArn }) => [...readStatements(table), putEvents(busArn)],
  'functions/file-accesses.ts': ({ table }) => fileAccessesStatements(table),
  'functions/sweep-transactions.ts': ({ table }) => sweepStatements(table),
  'functions/write-digests.ts': ({ table, digests }) => writeDigestsStatements(table, digests),
  'functions/verify-digests.ts': ({ table, digests }) => verifyDigestsStatements(table, digests),
  'functions/file-held-accesses.ts': ({ table, digests }) => fileHeldStatements(table, digests),
  'functions/deliver.ts': ({ table, digests, secretsKeyArn, wakes }) => [
    ...deliverStatements(table),
    ...holdStatements(digests),
    secretsStatement(secretsKeyArn, 'Decrypt'),
    ...sendStatements(wakes),
  ],
  'functions/tick-subscriptions.ts': ({ table, wakes }) => [...tickStatements(table), ...sendStatements(wakes)],
  'functions/purge-by-policy.ts': ({ table, digests }) => [...recordStatements(table), ...holdStatements(digests)],
  'functions/remind.ts': ({ table }) => remindStatements(table),
});
