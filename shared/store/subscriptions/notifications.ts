import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { RecordChange } from '../feed/change.ts';
import { type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import { rowsBetween } from '../rows-between.ts';
import type { Table } from '../write-rows.ts';
import type { SubscriptionName } from './settings.ts';
import { notificationKey, notificationPartition } from './subscription-keys.ts';

/** What became of a notification. Withheld: nothing of it might be known any more when it was to be sent. Dead: it was given up, and can be redriven. */
export type NotificationStatus = 'pending' | 'delivered' | 'withheld' | 'dead';

/** Events that are told together. Numbers and contents never change; what may be known of them is decided at each attempt. */
export interface Notification extends SubscriptionName {
  /** Number of the first event. Those of the others follow. */
  readonly first: number;
  /** When it was made, in milliseconds since 1970. */
  readonly made: number;
  readonly changes: readonly RecordChange[];
  /** Whether filters chose them: then they are for nobody who may not read what such records say, whatever the Subscription has become since. */
  readonly filtered?: boolean;
  readonly status: NotificationStatus;
  readonly attempts: number;
  /** When the last attempt was, in milliseconds since 1970, and what the receiver answered; no status where it did not. */
  readonly tried?: number;
  readonly httpStatus?: number;
  /** Events that were left out when it was taken: they might not be known any more. */
  readonly left?: readonly number[];
}

export interface NotificationRow extends RowKey {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
  readonly made: number;
  /** JSON of the changes, deflated where it is long. */
  readonly changes: string | Uint8Array;
  readonly filtered?: true;
  readonly status: NotificationStatus;
  readonly attempts: number;
  readonly tried?: number;
  readonly httpStatus?: number;
  readonly left?: readonly number[];
  /** Seconds since 1970: time to live. */
  readonly expires: number;
}

/** How long it is kept what was sent: as long as the access log. 45 CFR 164.316(b)(2)(i) */
const keptMs = 2_192 * 24 * 3_600_000;

/** Letters of JSON that are stored as they are. */
const longestPlain = 300;

type PackedChange = readonly [
  updated: number,
  type: string,
  chart: string,
  place: string,
  version: number,
  change: RecordChange['change'],
  custodian: string,
  id?: string,
];

const packed = ({ updated, type, chart, place, version, change, custodian, id }: RecordChange): PackedChange => {
  const all = [updated, type, chart, place, version, change, custodian] as const;
  return id === undefined ? all : [...all, id];
};

export const notificationRow = ({
  organization,
  id,
  first,
  made,
  changes,
  filtered = false,
  status,
  attempts,
}: Omit<Notification, 'tried' | 'httpStatus' | 'left'>): NotificationRow => {
  const json = JSON.stringify(changes.map(packed));
  return {
    ...notificationKey(organization, id, first),
    layout: 1,
    made,
    changes: json.length > longestPlain ? deflateRawSync(json) : json,
    ...(filtered ? { filtered } : {}),
    status,
    attempts,
    expires: Math.ceil((made + keptMs) / 1_000),
  };
};

export const notificationLayouts = /* @__PURE__ */ new Layouts<(row: NotificationRow) => Notification>('notification', {
  1: ({ pk, sk, made, changes, filtered, status, attempts, tried, httpStatus, left }) => {
    const [, organization = '', id = ''] = pk.split('#');
    const json = typeof changes === 'string' ? changes : inflateRawSync(changes).toString();
    return {
      organization,
      id,
      first: Number(sk),
      made,
      changes: (JSON.parse(json) as PackedChange[]).map(
        ([updated, type, chart, place, version, change, custodian, chosen]) => ({
          type,
          chart,
          place,
          ...(chosen === undefined ? {} : { id: chosen }),
          version,
          updated,
          custodian,
          change,
        }),
      ),
      ...(filtered ? { filtered } : {}),
      status,
      attempts,
      ...(tried === undefined ? {} : { tried }),
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(left === undefined ? {} : { left }),
    };
  },
});

const read = (rows: readonly RowKey[]): Notification[] =>
  (rows as NotificationRow[]).map((row) => notificationLayouts.reader(row.layout)(row));

/**
 * The notifications with events of these numbers, both included, in their order. Strongly consistent; one call, two where the first event lies within a notification, and
 * one more a megabyte.
 *
 * @param most - notifications at most; the rest begins behind the last event of the last one.
 * @throws WrittenByNewerRelease.
 */
export const notificationsBetween = async (
  table: Table,
  { organization, id }: SubscriptionName,
  from: number,
  until: number,
  most = 1_000,
): Promise<Notification[]> => {
  const pk = notificationPartition(organization, id);
  const keyOf = (number: number) => notificationKey(organization, id, Math.min(Math.max(number, 0), 9_999_999_999)).sk;
  const before = await rowsBetween(table, { pk, from: keyOf(0), to: keyOf(from), newestFirst: true, limit: 1 });
  const found = read(before.rows).filter(({ first, changes }) => first + changes.length > from && from <= until);
  let after: string | undefined;
  while (found.length < most && until > from) {
    const range = { pk, from: keyOf(from + 1), to: keyOf(until), after, limit: most - found.length };
    const { rows, next } = await rowsBetween(table, range);
    found.push(...read(rows));
    if (next === undefined) break;
    after = next;
  }
  return found;
};

/** The newest notifications of a Subscription, newest first. One call, strongly consistent. */
export const lastNotifications = async (
  table: Table,
  { organization, id }: SubscriptionName,
  most: number,
): Promise<Notification[]> => {
  const pk = notificationPartition(organization, id);
  const { rows } = await rowsBetween(table, { pk, from: '0', to: ':', newestFirst: true, limit: most });
  return read(rows);
};
