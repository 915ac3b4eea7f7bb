import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { log } from '../log.ts';
import { changeIn, type RowChange } from '../store/feed/change.ts';
import { type Beat, type BeatChange, noteBeats, noteLateness } from '../store/feed/completeness.ts';
import { beatPrefix } from '../store/feed/feed-keys.ts';
import { tell } from '../store/feed/tell.ts';
import { chartKey } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import { addressOf, type RecordRow } from '../store/rows.ts';
import { appointmentChangedType, appointmentChangedV1, appointmentChangesIn } from './appointment-changed.ts';
import { changesFor } from './changes-for.ts';
import type { AccessRowChange } from './consent-changes-in.ts';
import { lateVersionsIn } from './late-versions.ts';
import { isOpening, type Opening } from './openings.ts';
import { isAway, type OfChart, publishOrPark, ServiceAway } from './parking.ts';
import type { ChangeToTell } from './recipients.ts';
import { eventSource, recordChangedType, recordChangedV1 } from './record-changed.ts';
import { reminderDueType, reminderDueV1, remindersIn } from './reminder-due.ts';
import { rowChange } from './row-change.ts';
import { ToldSights } from './told-sights.ts';

/** EventBridge takes ten events a call. */
const eventsPerCall = 10;

export interface Publisher {
  readonly bus: EventBridgeClient;
  readonly busName: string;
  readonly store: RecordStore;
  /** The organisations that may know of each change, or the network (`*`): `recipientsOf` of recipients.ts. */
  readonly recipientsOf: (changes: readonly ChangeToTell[]) => Promise<readonly (readonly string[])[]>;
  /** What became of a row that opens a chart or closes it, as events for whom it concerns: openings.ts. */
  readonly openingsTold: (change: AccessRowChange, sights: ToldSights, place: number) => Promise<readonly Opening[]>;
  /** Lets what delivers to organisations know that there is something for them. What throws here is tried again with the whole batch: else nobody would look before something else came. */
  readonly wake?: (organizations: readonly string[]) => Promise<void>;
}

/**
 * Publishes what a batch of the stream is worth, in its order: finds out who may know of each change, files it in the feed and tells each of those, wakes whoever delivers, and puts an event
 * for each on the bus. Each step may be done again. A chart of which something cannot be published is parked, and holds up nobody else's changes (parking.ts).
 *
 * Where the bus refuses an event, the batch is to be repeated from the record that it came from, and no later call is sent before. What stood behind it in the same call may have been
 * accepted, so on the bus a record's versions may change places: the consumer keeps the highest. Feed and deliveries wait for no bus.
 */
export const publishChanges = async (
  publisher: Publisher,
  { Records }: DynamoDBStreamEvent,
  now = Date.now(),
): Promise<DynamoDBBatchResponse> => {
  const { store } = publisher;
  await noteLateness(store, createdFirst(Records, now), now);
  const changes = Records.map((record, index) => streamChange(record, index, now));
  let refused: StreamChange | undefined;
  const publish = async (some: readonly StreamChange[]) => {
    for (const { row } of some) eventsOf(store, row, []); // what cannot be read fails before anything of it is told
    const place = await publishRows(
      publisher,
      some.map(({ row }) => row),
    );
    const first = place === undefined ? undefined : some[place];
    if (first && first.index < (refused?.index ?? Number.POSITIVE_INFINITY)) refused = first;
  };
  const { versions = [], asides = [] } = Object.groupBy(changes, ({ row }) =>
    row.after && addressOf(row.after) ? 'versions' : 'asides',
  );
  await publishOrPark(store, versions, publish, now);
  await publishAsides(asides, publish);
  // Behind whatever stands in front of them, which the feed has by now.
  await noteBeats(
    store,
    changes.flatMap(({ row }) => beatIn(row)),
    now,
  );
  return { batchItemFailures: refused ? [{ itemIdentifier: refused.sequenceNumber }] : [] };
};

/** What became of a row, and where the stream tells of it. */
interface StreamChange extends OfChart {
  readonly row: StreamRow;
  /** In the batch. */
  readonly index: number;
  readonly sequenceNumber: string;
}

const streamChange = (record: DynamoDBRecord, index: number, now: number): StreamChange => {
  const { SequenceNumber: sequenceNumber = '', ApproximateCreationDateTime: created = now / 1_000 } =
    record.dynamodb ?? {};
  const { before, after } = rowChange<RecordRow>(record);
  const at = created * 1_000;
  const chart = after?.pk.slice(chartKey('').length) ?? '';
  return { row: { before, after, at }, index, sequenceNumber, chart, written: after?.updated ?? at };
};

/**
 * Publishes reminders, and what opens charts or closes them. No feed has these, and they have no versions that they could be told from later: one that cannot be told is counted and passed
 * over. Whoever misses it finds out by asking.
 */
const publishAsides = async (
  changes: readonly StreamChange[],
  publish: (changes: readonly StreamChange[]) => Promise<void>,
): Promise<void> => {
  if (changes.length === 0) return;
  try {
    await publish(changes);
  } catch (error) {
    if (isAway(error)) throw error;
    if (changes.length > 1) {
      for (const change of changes) await publishAsides([change], publish);
      return;
    }
    log.fault('an event cannot be told', error);
    log.count('ChangesUnpublished');
  }
};

/** When the oldest change of a batch was written, in milliseconds since 1970. */
const createdFirst = (records: readonly DynamoDBRecord[], now: number): number =>
  records.reduce(
    (first, { dynamodb }) =>
      Math.min(first, (dynamodb?.ApproximateCreationDateTime ?? Number.POSITIVE_INFINITY) * 1_000),
    now,
  );

const beatIn = ({ before, after }: RowChange): BeatChange[] =>
  isBeat(after) ? [{ before: isBeat(before) ? before : undefined, after }] : [];

const isBeat = (row: Partial<Beat> | undefined): row is Beat =>
  row?.pk?.startsWith(beatPrefix) === true && typeof row.to === 'number';

/**
 * Publishes what became of rows, in their order, each behind the versions that came late with it.
 *
 * @returns the place of the first of them of which the bus refused an event; undefined if it took all.
 * @throws WrittenByNewerRelease; whatever a service throws. Some of it may be published then.
 */
export const publishRows = async (publisher: Publisher, given: readonly StreamRow[]): Promise<number | undefined> => {
  const { store, recipientsOf, wake } = publisher;
  const rows: { readonly place: number; readonly row: StreamRow }[] = [];
  for (const [place, row] of given.entries())
    for (const each of [...(await lateVersionsIn(store, row)), row]) rows.push({ place, row: each });
  const changes = rows.flatMap(({ row }): (ChangeToTell & { readonly row: RowChange['after'] })[] => {
    const change = changeIn(row);
    return change ? [{ change, row: row.after }] : [];
  });
  const found = changes.length > 0 ? await recipientsOf(changes) : [];
  const recipients = new Map(changes.map(({ row }, index) => [row, found[index] ?? []]));
  await tell(
    store,
    changes.map(({ change, row }) => ({ change, recipients: recipients.get(row) ?? [] })),
  );
  const organizations = [...new Set(found.flat())];
  if (organizations.length > 0) await wake?.(organizations).catch(throwAway);
  const sights = new ToldSights(store);
  const events: { readonly place: number; readonly entry: Event }[] = [];
  for (const { place, row } of rows)
    for (const entry of [
      ...eventsOf(store, row, recipients.get(row.after) ?? []),
      ...(await openingEventsOf(publisher, row, sights, place)),
    ])
      events.push({ place, entry });
  await sights.begin();
  const refused = await send(publisher, events);
  await sights.keep(refused);
  return refused;
};

/** Neither whoever delivers nor the bus knows of charts: what they fail with is no chart's fault. */
const throwAway = (error: unknown): never => {
  throw isAway(error) ? error : new ServiceAway('Deliveries or the bus failed', { cause: error });
};

/** What became of a row, and when, in milliseconds since 1970, where the stream tells of it. */
type StreamRow = RowChange & { readonly at?: number };

/** A row that opens a chart is no record's, and has other attributes. */
const openingEventsOf = async (
  { openingsTold }: Publisher,
  { at, ...row }: StreamRow,
  sights: ToldSights,
  place: number,
): Promise<Event[]> => {
  const change = { ...(row as Pick<AccessRowChange, 'before' | 'after'>), at: at ?? 0 };
  if (!isOpening(change)) return [];
  return (await openingsTold(change, sights, place)).map(({ type, detail }) => eventOf(type, detail));
};

type Event = Omit<PutEventsRequestEntry, 'EventBusName'>;

/** What a row's change is worth on the bus. */
const eventsOf = ({ ids }: RecordStore, row: RowChange, recipients: readonly string[]): Event[] => [
  ...changesFor(row, ids, recipients).map((change) => eventOf(recordChangedType, recordChangedV1.parse(change))),
  ...appointmentChangesIn(row, ids, recipients).map((change) =>
    eventOf(appointmentChangedType, appointmentChangedV1.parse(change)),
  ),
  ...remindersIn(row).map((due) => eventOf(reminderDueType, reminderDueV1.parse(due))),
];

const eventOf = (DetailType: string, detail: { readonly occurredAt: string }): Event => ({
  Source: eventSource,
  DetailType,
  Time: new Date(detail.occurredAt),
  Detail: JSON.stringify(detail),
});

const send = async (
  { bus, busName: EventBusName }: Publisher,
  events: readonly { readonly place: number; readonly entry: Event }[],
): Promise<number | undefined> => {
  for (let at = 0; at < events.length; at += eventsPerCall) {
    const batch = events.slice(at, at + eventsPerCall);
    const { FailedEntryCount = 0, Entries = [] } = await bus
      .send(new PutEventsCommand({ Entries: batch.map(({ entry }) => ({ ...entry, EventBusName })) }))
      .catch(throwAway);
    if (FailedEntryCount > 0) {
      log.warn('the bus refused events', {
        count: FailedEntryCount,
        reason: Entries.find(({ ErrorCode }) => ErrorCode)?.ErrorCode ?? '',
      });
      return (batch.find((_, index) => Entries[index]?.ErrorCode !== undefined) ?? batch[0])?.place;
    }
  }
  return undefined;
};
