import { type DigestResource, holdStatements } from './digest-access.ts';
import type { Grants } from './grants.ts';
import { secretsStatement } from './secrets-access.ts';
import {
  historyStatements,
  recordStatements,
  showStatements,
  type TableResource,
  uploadStatements,
} from './table-access.ts';

export interface ApiPlaces {
  readonly table: TableResource;
  readonly digests: DigestResource;
  /** Of the key that encrypts secrets of Subscriptions. */
  readonly secretsKeyArn: string;
}

const servesRecords = /^functions\/(?:records\/[a-z-]+|other-records|system|cds-services|hl7-v2)\.ts$/;

/** Whether a function takes uploads. */
export const takesUploads = (entry: string): boolean => entry === 'functions/records/binary.ts';

/** Whether a function stores Subscriptions, with their secrets. */
export const writesSubscriptions = (entry: string): boolean =>
  entry === 'functions/records/subscription.ts' || entry === 'functions/system.ts';

/** What the functions behind the gateway may do. */
export const apiGrants: Grants<ApiPlaces> = (entry, { table, digests, secretsKeyArn }) => {
  if (entry === 'functions/metadata.ts') return []; // it describes the server, which is no data
  if (entry === 'functions/history.ts') return [...historyStatements(table), ...holdStatements(digests)];
  // Nobody writes AuditEvents.
  if (entry === 'functions/records/audit-event.ts') return [...showStatements(table), ...holdStatements(digests)];
  if (!servesRecords.test(entry)) return undefined;
  return [
    ...recordStatements(table),
    ...holdStatements(digests),
    ...(takesUploads(entry) ? uploadStatements(table) : []),
    ...(writesSubscriptions(entry) ? [secretsStatement(secretsKeyArn, 'Encrypt')] : []),
  ];
};
