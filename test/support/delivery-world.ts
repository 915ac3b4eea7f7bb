import { usualPolicy } from '../../shared/access/policy.ts';
import { deliver } from '../../shared/delivery/deliver.ts';
import type { Delivery } from '../../shared/delivery/delivery.ts';
import { setStatus } from '../../shared/delivery/set-status.ts';
import type { Wake } from '../../shared/delivery/wake-queue.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { commit } from '../../shared/store/commit.ts';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import { cursorText, endOfSequence } from '../../shared/store/feed/sequence.ts';
import { tell } from '../../shared/store/feed/tell.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { type Notification, notificationsBetween } from '../../shared/store/subscriptions/notifications.ts';
import { subscriptionOf } from '../../shared/store/subscriptions/read-subscriptions.ts';
import { type SubscriptionSettings, settingsRow } from '../../shared/store/subscriptions/settings.ts';
import type { SubscriptionState } from '../../shared/store/subscriptions/state.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import type { OpenedSecrets } from '../../shared/subscriptions/secrets.ts';
import type { PostOutcome } from '../../shared/webhooks/post.ts';
import { commitOf, newRecord, nextOf } from './test-store.ts';

/** What a receiver was sent. */
export interface Received {
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly type: string;
  /** Numbers of its events. */
  readonly events: readonly number[];
  /** `Type/id/_history/version` of the entries behind the first. */
  readonly entries: readonly string[];
}

/** A parameter of the status that a notification begins with. */
export const parameterOf = (body: string, name: string): fhir4.ParametersParameter | undefined =>
  parametersIn(body).find((each) => each.name === name);

const parametersIn = (body: string): readonly fhir4.ParametersParameter[] =>
  ((JSON.parse(body) as fhir4.Bundle).entry?.[0]?.resource as fhir4.Parameters | undefined)?.parameter ?? [];

const receivedFrom = (at: number, headers: Readonly<Record<string, string>>, body: string): Received => {
  const { entry = [] } = JSON.parse(body) as fhir4.Bundle;
  return {
    at,
    headers,
    body,
    type: parameterOf(body, 'type')?.valueCode ?? '',
    events: parametersIn(body)
      .filter(({ name }) => name === 'notification-event')
      .map(({ part = [] }) => Number(part.find(({ name }) => name === 'event-number')?.valueString)),
    entries: entry.slice(1).map(({ fullUrl = '', response }) => {
      const [, name = ''] = /\/fhir\/(.*)$/.exec(fullUrl) ?? [];
      return `${name}/_history/${response?.etag?.replace(/\D/g, '') ?? ''}`;
    }),
  };
};

/** That a version was made. */
export const changeOf = ({
  type,
  chart,
  place,
  version,
  updated,
  custodian,
  resource,
}: StoredRecord): RecordChange => ({
  type,
  chart,
  place,
  version,
  updated,
  custodian,
  change: resource ? (version === 1 ? 'created' : 'updated') : 'deleted',
});

let worlds = 0;

export const hourMs = 3_600_000;

/**
 * One Subscription of an organisation of its own in a store, with a clock that stands still, a receiver that answers as it is told to, and records whose
 * changes its organisation is told of.
 */
export const deliveryWorld = async (store: RecordStore, over: Partial<SubscriptionSettings> = {}) => {
  const organization = `organization-${++worlds}`;
  const chart = store.ids.newChart();
  const clock = { now: Date.UTC(2026, 10, 27, 12) };
  const received: Received[] = [];
  const woken: Wake[] = [];
  /** What the receiver answers; it takes everything, unless told otherwise. */
  const receiver: { answer: () => PostOutcome } = { answer: () => ({ status: 200 }) };
  const secrets: { opened: OpenedSecrets } = { opened: { headers: [], signingSecret: undefined } };
  const name = { organization, id: chart };
  const record = newRecord(store, chart, {
    type: 'Subscription',
    place: '',
    id: chart,
    custodian: organization,
    resource: {
      resourceType: 'Subscription',
      status: over.status ?? 'requested',
      reason: 'test',
      criteria: 'Observation?status=final',
      channel: { type: 'rest-hook', endpoint: 'https://hooks.example/concord' },
    } as unknown as Resource,
  });
  let settings: SubscriptionSettings = {
    ...name,
    version: 1,
    status: 'requested',
    baseUrl: 'https://api.concord.example/fhir',
    endpoint: 'https://hooks.example/concord',
    types: ['Observation'],
    filters: [],
    content: 'id-only',
    contentType: 'application/fhir+json',
    writer: {
      subject: 's',
      name: 'n',
      client: 'c',
      fhirUser: 'Practitioner/p',
      roles: ['system'],
      scope: 'system/*.cruds',
    },
    start: cursorText(await endOfSequence(store, organization)),
    startedBy: 1,
    ...over,
  };
  await commit(store, commitOf({ writes: [{ next: record, previous: undefined }] }));
  await writeRows(store, [settingsRow(settings)]);

  /** @param through - the store, or one whose calls pass by somebody. */
  const delivery = (through: RecordStore = store, changed: Partial<Delivery> = {}): Delivery => ({
    store: through,
    policy: usualPolicy,
    programmes: async () => new Set(),
    post: async (_url, { headers, body }) => {
      received.push(receivedFrom(clock.now, headers, body));
      return receiver.answer();
    },
    openSecrets: async () => secrets.opened,
    wake: async (wakes) => void woken.push(...wakes),
    setStatus: (of, status, error) =>
      setStatus({ store: through, policy: usualPolicy, programmes: new Set(), now: clock.now }, of, status, error),
    now: () => clock.now,
    random: () => 1,
    turnMs: 20_000,
    ...changed,
  });

  /** Writes a version of a record, and tells of it. */
  const write = async (version: StoredRecord, previous?: StoredRecord): Promise<StoredRecord> => {
    await commit(store, commitOf({ writes: [{ next: version, previous }] }));
    await tellOf(version);
    return version;
  };
  const tellOf = (version: StoredRecord) => tell(store, [{ change: changeOf(version), recipients: [organization] }]);
  const home = store.ids.newChart();
  return {
    name,
    clock,
    received,
    woken,
    receiver,
    secrets,
    delivery,
    write,
    /** Tells once more of what was told. */
    tellOf,
    /** A new record of the organisation's, of which it is told. */
    create: (with_: Partial<StoredRecord> = {}) =>
      write(newRecord(store, home, { custodian: organization, place: store.ids.newPlace(clock.now), ...with_ })),
    update: (before: StoredRecord, with_: Partial<StoredRecord> = {}) => write(nextOf(before, with_), before),
    turn: (through?: RecordStore, changed?: Partial<Delivery>) => deliver(delivery(through, changed), name),
    state: async (): Promise<SubscriptionState | undefined> => (await subscriptionOf(store, name)).state,
    settings: async (): Promise<SubscriptionSettings | undefined> => (await subscriptionOf(store, name)).settings,
    /** Writes the Subscription anew, as a client does. */
    rewrite: async (with_: Partial<SubscriptionSettings>): Promise<void> => {
      const { settings: current } = await subscriptionOf(store, name);
      const stored = await store.read(record);
      if (!stored) throw new Error('The Subscription is not there');
      const version = stored.version + 1;
      const isOn = current !== undefined && current.status !== 'off';
      const begins = { start: cursorText(await endOfSequence(store, organization)), startedBy: version };
      settings = { ...(current ?? settings), ...(isOn ? {} : begins), ...with_, version };
      const resource = { ...stored.resource, status: settings.status } as unknown as Resource;
      await commit(store, commitOf({ writes: [{ next: nextOf(stored, { resource }), previous: stored }] }));
      await writeRows(store, [settingsRow(settings)]);
    },
    subscription: async () => (await store.read(record))?.resource as unknown as fhir4.Subscription,
    notifications: (): Promise<Notification[]> => notificationsBetween(store, name, 1, 10_000),
  };
};

export type DeliveryWorld = Awaited<ReturnType<typeof deliveryWorld>>;
