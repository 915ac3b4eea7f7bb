import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { log } from '../log.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { isDirectory } from '../record-types/subjects.ts';
import type { RecordChange } from '../store/feed/change.ts';
import { network } from '../store/keys.ts';
import { appointmentChangedType, appointmentChangedV1 } from './appointment-changed.ts';
import { breakGlassOpenedType, breakGlassOpenedV1 } from './break-glass-opened.ts';
import { concernsStill } from './break-glasses-in.ts';
import { consentChangedType, consentChangedV1 } from './consent-changed.ts';
import { holdsStill } from './consent-changes-in.ts';
import { type Background, type Readable, readableNow, readingFor, systemAsking } from './readable-now.ts';
import { eventSource, recordChangedType, recordChangedV1 } from './record-changed.ts';
import { reminderDueType, reminderDueV1 } from './reminder-due.ts';

/** What replays are decided with, and where what is still permitted goes. */
export interface Replaying extends Background {
  readonly bus: EventBridgeClient;
  readonly busName: string;
}

/** EventBridge takes ten events a call. */
const eventsPerCall = 10;

/** An event as EventBridge plays it again out of an archive. */
const archived = z.object({
  source: z.literal(eventSource),
  'detail-type': z.string(),
  'replay-name': z.string(),
  detail: z.unknown(),
});

/** The version that an event tells of. */
interface Of extends Pick<RecordChange, 'type' | 'version' | 'custodian' | 'change'> {
  readonly id: string;
  readonly occurredAt: string;
  /** Whether the event is of use only while what it tells of is still to come. */
  readonly ahead?: boolean;
}

/** What an event tells whom: of a version, which is decided upon as for reading it, or of something that is so still, or not. */
type Told = { readonly recipient: string; readonly occurredAt: string } & (
  | { readonly of: Of }
  | { readonly isStill: (replaying: Replaying) => Promise<boolean> }
);

/** An archived event. */
type Notice = Told & { readonly messageId: string; readonly entry: PutEventsRequestEntry };
type NoticeOfVersion = Extract<Notice, { readonly of: Of }>;

/** What each kind of event tells. A later kind without a line here is refused, and waits for whoever looks. */
const contracts: Readonly<Record<string, (detail: unknown) => Told>> = {
  [recordChangedType]: (detail) => {
    const { recipient, recordType: type, recordId: id, ...rest } = recordChangedV1.parse(detail);
    return { recipient, occurredAt: rest.occurredAt, of: { type, id, ...rest } };
  },
  [appointmentChangedType]: (detail) => {
    const { recipient, appointmentId: id, ...rest } = appointmentChangedV1.parse(detail);
    return { recipient, occurredAt: rest.occurredAt, of: { type: 'Appointment', id, ...rest, change: 'updated' } };
  },
  [reminderDueType]: (detail) => {
    const { recipient, appointmentId: id, ...rest } = reminderDueV1.parse(detail);
    const of = { type: 'Appointment', id, ...rest, change: 'updated', ahead: true } as const;
    return { recipient, occurredAt: rest.occurredAt, of };
  },
  [consentChangedType]: (detail) => {
    const event = consentChangedV1.parse(detail);
    return { ...event, isStill: (replaying) => holdsStill(replaying, event) };
  },
  [breakGlassOpenedType]: (detail) => {
    const event = breakGlassOpenedV1.parse(detail);
    return { ...event, isStill: (replaying) => concernsStill(replaying, event) };
  },
};

/**
 * Decides anew on events that an archive plays again, each for the one organisation that it is for, and puts those that this one may still know of on the bus, as they were and with the same event
 * id. The others are dropped and counted. What cannot be decided, and what the bus refuses, comes again.
 *
 * For each recipient of a batch its own calls, as for reading these versions (readable-now.ts).
 */
export const replayChanges = async (replaying: Replaying, { Records }: SQSEvent): Promise<SQSBatchResponse> => {
  const failed: string[] = [];
  const attempt = async <T>(messageId: string, work: () => T): Promise<Awaited<T> | undefined> => {
    try {
      return await work();
    } catch (error) {
      log.fault('a replayed event was not decided upon', error);
      failed.push(messageId);
      return undefined;
    }
  };
  const notices: Notice[] = [];
  for (const { messageId, body } of Records) {
    const notice = await attempt(messageId, () => noticeIn(replaying, messageId, body));
    if (notice) notices.push(notice);
  }
  const permitted: Notice[] = [];
  let withheld = 0;
  const take = (still: readonly Notice[], of: number): void => {
    permitted.push(...still);
    withheld += of - still.length;
  };
  for (const notice of notices) {
    if ('of' in notice) continue;
    const isStill = await attempt(notice.messageId, () => notice.isStill(replaying));
    if (isStill !== undefined) take(isStill ? [notice] : [], 1);
  }
  const ofVersions = notices.filter((notice) => 'of' in notice);
  for (const [recipient, theirs] of Map.groupBy(ofVersions, (notice) => notice.recipient)) {
    const together = await permittedOf(replaying, recipient, theirs).catch(() => undefined);
    if (together) {
      take(together, theirs.length);
      continue;
    }
    // One of them cannot be decided upon: the others are, each by itself.
    for (const notice of theirs) {
      const alone = await attempt(notice.messageId, () => permittedAlone(replaying, notice));
      if (alone) take(alone, 1);
    }
  }
  for (let count = 0; count < withheld; count++) log.count('ReplaysWithheld');
  failed.push(...(await putAgain(replaying, permitted)));
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
};

/** @throws Error for what is no event that an archive has played again, or is of a kind that is not known. */
const noticeIn = ({ busName }: Replaying, messageId: string, body: string): Notice => {
  const { 'detail-type': type, detail } = archived.parse(JSON.parse(body));
  const contract = contracts[type];
  if (!contract) throw new Error('An event of another kind');
  const told = contract(detail);
  const entry = {
    EventBusName: busName,
    Source: eventSource,
    DetailType: type,
    Time: new Date(told.occurredAt),
    Detail: JSON.stringify(detail),
  };
  return { messageId, entry, ...told };
};

/** Those of the notices for a recipient that it may still know of. */
const permittedOf = async (
  replaying: Replaying,
  recipient: string,
  notices: readonly NoticeOfVersion[],
): Promise<readonly Notice[]> => {
  // The directory is everybody's, and nothing else is.
  if (recipient === network) return notices.filter(({ of }) => isDirectory(of.type));
  const { store, now } = replaying;
  const located = await Promise.all(
    notices.map(async ({ of: { type, id, version, occurredAt, custodian, change } }) => {
      const address = await store.locate(type, id, headsOwnChart(type));
      if (!address) return undefined;
      const chosen = store.ids.decode(id) ? {} : { id };
      return { ...address, ...chosen, version, updated: Date.parse(occurredAt), custodian, change };
    }),
  );
  const reading = readingFor(replaying, systemAsking(recipient));
  const readable = new Map<RecordChange, Readable>();
  for (let rest = located.filter((each) => each !== undefined); rest.length > 0; ) {
    const found = await readableNow(reading, rest, { told: true });
    for (const each of found.readable) readable.set(each.change, each);
    rest = rest.slice(found.taken);
  }
  return notices.filter(({ of: { ahead } }, index) => {
    const change = located[index];
    const found = change && readable.get(change);
    return found !== undefined && (ahead !== true || isAhead(found, now));
  });
};

/** Nobody is reminded of what has begun. */
const isAhead = ({ record: { resource } }: Readable, now: number): boolean =>
  typeof resource?.start === 'string' && Date.parse(resource.start) > now;

/** The same of one notice. A version that is not there was lost with what the table was restored from: nobody is told of it. */
const permittedAlone = async (replaying: Replaying, notice: NoticeOfVersion): Promise<readonly Notice[]> => {
  const { type, id, version } = notice.of;
  const { store } = replaying;
  const address = await store.locate(type, id, headsOwnChart(type));
  if (!address || !(await store.readVersion(address, version))) return [];
  return permittedOf(replaying, notice.recipient, [notice]);
};

/** @returns the messages whose events the bus did not take. */
const putAgain = async ({ bus }: Replaying, notices: readonly Notice[]): Promise<string[]> => {
  const refused: string[] = [];
  for (let at = 0; at < notices.length; at += eventsPerCall) {
    const batch = notices.slice(at, at + eventsPerCall);
    try {
      const { Entries = [] } = await bus.send(new PutEventsCommand({ Entries: batch.map(({ entry }) => entry) }));
      for (const [index, { messageId }] of batch.entries()) {
        if (Entries[index]?.ErrorCode !== undefined) refused.push(messageId);
        else log.count('EventsReplayed');
      }
    } catch (error) {
      log.fault('the bus did not take replayed events', error);
      refused.push(...batch.map(({ messageId }) => messageId));
    }
  }
  return refused;
};
