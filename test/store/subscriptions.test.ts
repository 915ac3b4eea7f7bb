import { beforeAll, describe, expect, it } from 'vitest';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import {
  lastNotifications,
  type Notification,
  notificationRow,
  notificationsBetween,
} from '../../shared/store/subscriptions/notifications.ts';
import {
  subscriptionOf,
  subscriptionsIn,
  subscriptionsOf,
} from '../../shared/store/subscriptions/read-subscriptions.ts';
import {
  type SubscriptionSettings,
  settingsKey,
  settingsRow,
  subscriptionShard,
} from '../../shared/store/subscriptions/settings.ts';
import { newState, type SubscriptionState, stateRow } from '../../shared/store/subscriptions/state.ts';
import { askRedrive } from '../../shared/store/subscriptions/turns.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import { testStore } from '../support/test-store.ts';

let store: RecordStore;
beforeAll(async () => {
  store = await testStore();
});

let named = 0;
/** A Subscription of an organisation of a test's own. */
const someSettings = (over: Partial<SubscriptionSettings> = {}): SubscriptionSettings => ({
  organization: `organization-${++named}`,
  id: 'hook',
  version: 1,
  status: 'requested',
  baseUrl: 'https://api.concord.example/fhir',
  endpoint: 'https://hooks.example/concord',
  types: [],
  filters: [],
  content: 'id-only',
  contentType: 'application/fhir+json',
  writer: { subject: 's', name: 'n', client: 'c', fhirUser: 'Practitioner/p', roles: ['admin'], scope: 'user/*.cruds' },
  ...over,
});

const changes = (count: number): RecordChange[] =>
  Array.from({ length: count }, (_, version) => ({
    type: 'Observation',
    chart: 'c',
    place: 'p',
    version: version + 1,
    updated: 1_000 + version,
    custodian: 'northside',
    change: 'updated',
  }));

describe('subscriptionOf', () => {
  it('tells settings and state of one Subscription, by one call, with its secrets as they were', async () => {
    const settings = someSettings({ secrets: Uint8Array.of(1, 2, 3), maxCount: 5 });
    const state: SubscriptionState = { ...newState(settings), version: 1, cursor: '3.1.0k3pv-1.0' };
    const other = someSettings({ organization: settings.organization, id: 'hook2' });
    await writeRows(store, [settingsRow(settings), stateRow(state), settingsRow(other)]);

    const { organization, id } = settings;
    expect(await subscriptionOf(store, { organization, id })).toEqual({ organization, id, settings, state });
    expect(await subscriptionOf(store, other)).toEqual({ ...nameOf(other), settings: other, state: undefined });
  });

  it('tells neither of one that is not there, and no settings of one that was deleted', async () => {
    const settings = someSettings();
    const state = newState(settings);
    await writeRows(store, [settingsRow(settings), stateRow(state)]);
    await writeRows(store, [], [settingsKey(settings)]);

    expect(await subscriptionOf(store, settings)).toEqual({ ...nameOf(settings), settings: undefined, state });
    expect(await subscriptionOf(store, { organization: 'nobody', id: 'x' })).toEqual({
      organization: 'nobody',
      id: 'x',
      settings: undefined,
      state: undefined,
    });
  });
});

const nameOf = ({ organization, id }: SubscriptionSettings) => ({ organization, id });

describe('subscriptionsOf', () => {
  it('tells those of the organisation and of no other one whose name begins like it', async () => {
    const first = someSettings();
    const second = { ...first, id: 'second' };
    const longer = someSettings({ organization: `${first.organization}x` });
    await writeRows(store, [first, second, longer].map(settingsRow));

    const found = await subscriptionsOf(store, first.organization);
    expect(found.map(({ settings }) => settings)).toEqual([first, second]);
    const beside = await subscriptionsIn(store, subscriptionShard(first.organization));
    expect(beside.map(({ settings }) => settings)).toEqual(expect.arrayContaining([first, second]));
  });
});

describe('askRedrive', () => {
  it('notes from which event on, and asks for a turn, but never makes a state', async () => {
    const settings = someSettings();
    expect(await askRedrive(store, settings, 7)).toBe(false);
    await writeRows(store, [settingsRow(settings), stateRow({ ...newState(settings), events: 9 })]);

    expect(await askRedrive(store, settings, 7)).toBe(true);
    const { state } = await subscriptionOf(store, settings);
    expect(state).toMatchObject({ events: 9, redrive: 7, wakes: 1 });
  });
});

describe('notificationsBetween', () => {
  it('tells those with events of a range, in order, also where the range begins within one', async () => {
    const { organization, id } = someSettings();
    const sent = [1, 4, 11].map(
      (first): Notification => ({
        organization,
        id,
        first,
        made: 5_000,
        changes: changes(first === 11 ? 1 : first + 2),
        status: 'pending',
        attempts: 0,
      }),
    );
    await writeRows(store, sent.map(notificationRow));
    const firsts = async (from: number, until: number, most?: number) =>
      (await notificationsBetween(store, { organization, id }, from, until, most)).map(({ first }) => first);

    expect(await notificationsBetween(store, { organization, id }, 1, 99)).toEqual(sent);
    expect(await firsts(1, 3)).toEqual([1]);
    expect(await firsts(3, 4)).toEqual([1, 4]);
    expect(await firsts(4, 9)).toEqual([4]);
    expect(await firsts(10, 10)).toEqual([]);
    expect(await firsts(12, 99)).toEqual([]);
    expect(await firsts(0, 99, 2)).toEqual([1, 4]);
    expect((await lastNotifications(store, { organization, id }, 2)).map(({ first }) => first)).toEqual([11, 4]);
  });

  it('keeps what a long notification tells, and an id that a client chose', async () => {
    const { organization, id } = someSettings();
    const long = changes(200).map((change, index) => (index % 2 ? { ...change, id: `chosen-${index}` } : change));
    const status = 'delivered';
    const known = { organization, id, first: 1, made: 5_000, filtered: true } as const;
    const whole: Notification = { ...known, changes: long, status, attempts: 1 };
    await writeRows(store, [notificationRow(whole)]);

    expect(await notificationsBetween(store, { organization, id }, 1, 200)).toEqual([whole]);
  });
});
