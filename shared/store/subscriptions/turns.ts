import { randomUUID } from 'node:crypto';
import { DeleteCommand, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { backOff } from '../back-off.ts';
import { type Action, tryTransaction, tryWrite } from '../transact.ts';
import type { Table } from '../write-rows.ts';
import { type Notification, notificationRow } from './notifications.ts';
import type { SubscriptionName } from './settings.ts';
import { newState, type SubscriptionState, stateKey } from './state.ts';
import { notificationKey } from './subscription-keys.ts';

// One deliverer at a time works on a Subscription: it has the lease, and every write of it says so as a condition. Who comes meanwhile asks for another turn
// by a number, and the lease is given back on the condition that the number is what it was, so nobody's wake is lost between the last look and the end.

/** Longest time from one write of a turn to the next, in milliseconds: a post has some ten seconds, and what is read before it the rest. */
export const leaseMs = 60_000;

/** Somebody else has the lease, or asked for something in between: what was about to be written is to be looked at again. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** What a turn changes of a state; undefined takes away. */
export type StateChange = {
  readonly [Name in Exclude<keyof SubscriptionState, keyof SubscriptionName | 'wakes' | 'lease' | 'leaseUntil'>]?:
    | SubscriptionState[Name]
    | undefined;
};

/** A state under an own lease. */
export type HeldState = SubscriptionState & { readonly lease: string };

/**
 * Has dead notifications sent again, those with events from this number on, at the next turn. Whoever asks wakes delivery too.
 *
 * @returns false where there is no state yet, so nothing that could be dead.
 */
export const askRedrive = async (
  { client, tableName: TableName }: Table,
  name: SubscriptionName,
  from: number,
): Promise<boolean> =>
  (await tryWrite(
    client,
    new UpdateCommand({
      TableName,
      Key: stateKey(name),
      UpdateExpression: 'SET redrive = :from ADD wakes :one',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':from': from, ':one': 1 },
    }),
  )) === undefined;

/**
 * Takes the lease of a Subscription, or asks who has it for another turn. One call, or two.
 *
 * @returns the name of the lease; undefined where another one has it.
 */
export const takeLease = async (
  { client, tableName: TableName }: Table,
  name: SubscriptionName,
  now: number,
): Promise<string | undefined> => {
  const lease = randomUUID();
  const { version, status, events, failures } = newState(name);
  for (;;) {
    const refused = await tryWrite(
      client,
      new UpdateCommand({
        TableName,
        Key: stateKey(name),
        UpdateExpression:
          'SET #lease = :lease, leaseUntil = :until, #layout = if_not_exists(#layout, :layout), version = if_not_exists(version, :version), #status = if_not_exists(#status, :status), events = if_not_exists(events, :events), failures = if_not_exists(failures, :failures) ADD wakes :none',
        // An own earlier sending may have taken it.
        ConditionExpression: 'attribute_not_exists(#lease) OR leaseUntil < :now OR #lease = :lease',
        ExpressionAttributeNames: { '#lease': 'lease', '#layout': 'layout', '#status': 'status' },
        ExpressionAttributeValues: {
          ':lease': lease,
          ':until': now + leaseMs,
          ':now': now,
          ':layout': 1,
          ':version': version,
          ':status': status,
          ':events': events,
          ':failures': failures,
          ':none': 0,
        },
      }),
    );
    if (!refused) return lease;
    const asked = await tryWrite(
      client,
      new UpdateCommand({
        TableName,
        Key: stateKey(name),
        UpdateExpression: 'ADD wakes :one',
        ConditionExpression: 'attribute_exists(#lease) AND leaseUntil >= :now',
        ExpressionAttributeNames: { '#lease': 'lease' },
        ExpressionAttributeValues: { ':one': 1, ':now': now },
      }),
    );
    if (!asked) return undefined;
  }
};

/**
 * Gives the lease back where nothing is left to do.
 *
 * @returns false where another turn was asked for since the state was read: look again.
 * @throws LeaseLost.
 */
export const endTurn = async (table: Table, state: HeldState, looked: number): Promise<boolean> => {
  const refused = await giveBack(table, state, {
    set: 'SET looked = :looked ',
    besides: '',
    only: ' AND wakes = :wakes',
    values: { ':looked': looked, ':wakes': state.wakes },
  });
  if (!refused) return true;
  if (refused.lease === undefined) return true; // an own earlier sending gave it back
  if (refused.lease !== state.lease) throw new LeaseLost();
  return false;
};

/** Gives the lease back to whoever comes next: something is left to do, so it is due, whoever is woken. */
export const leaveTurn = async (table: Table, state: HeldState): Promise<void> => {
  await giveBack(table, state, { set: '', besides: ', looked', only: '', values: {} });
};

const giveBack = async (
  { client, tableName: TableName }: Table,
  state: HeldState,
  {
    set,
    besides,
    only,
    values,
  }: {
    readonly set: string;
    readonly besides: string;
    readonly only: string;
    readonly values: Record<string, number>;
  },
): Promise<{ readonly lease?: unknown } | undefined> => {
  const refused = await tryWrite(
    client,
    new UpdateCommand({
      TableName,
      Key: stateKey(state),
      UpdateExpression: `${set}REMOVE #lease, leaseUntil${besides}`,
      ConditionExpression: `#lease = :lease${only}`,
      ExpressionAttributeNames: { '#lease': 'lease' },
      ExpressionAttributeValues: { ':lease': state.lease, ...values },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
  return refused && ((refused.row ?? {}) as { readonly lease?: unknown });
};

/** Forgets the state of a Subscription that is no more. @throws LeaseLost. */
export const removeState = async ({ client, tableName: TableName }: Table, state: HeldState): Promise<void> => {
  const refused = await tryWrite(
    client,
    new DeleteCommand({
      TableName,
      Key: stateKey(state),
      ConditionExpression: '#lease = :lease OR attribute_not_exists(pk)',
      ExpressionAttributeNames: { '#lease': 'lease' },
      ExpressionAttributeValues: { ':lease': state.lease },
    }),
  );
  if (refused) throw new LeaseLost();
};

/** Writes a state, and prolongs the lease. One call. @throws LeaseLost. */
export const writeState = async (
  table: Table,
  state: HeldState,
  change: StateChange,
  now: number,
): Promise<HeldState> => {
  const update = stateUpdate(table, state, change, now);
  const refused = await tryWrite(table.client, new UpdateCommand(update));
  if (refused) throw new LeaseLost();
  return changed(state, change);
};

/** Numbers the events of a notification as the state moves past them: one transaction. @throws LeaseLost. */
export const putNotification = (
  table: Table,
  state: HeldState,
  notification: Notification,
  change: StateChange,
  now: number,
): Promise<HeldState> => {
  const { tableName: TableName } = table;
  const put = {
    Put: { TableName, Item: notificationRow(notification), ConditionExpression: 'attribute_not_exists(pk)' },
  };
  return together(table, state, put, change, now);
};

/** What became of an attempt. */
export type NotificationChange = Partial<Pick<Notification, 'status' | 'attempts' | 'tried' | 'httpStatus' | 'left'>>;

/** Notes what became of a notification as the state moves on: one transaction. @throws LeaseLost. */
export const changeNotification = (
  table: Table,
  state: HeldState,
  { organization, id, first }: Pick<Notification, keyof SubscriptionName | 'first'>,
  said: NotificationChange,
  change: StateChange,
  now: number,
): Promise<HeldState> => {
  const { tableName: TableName } = table;
  const names = Object.keys(said);
  const update = {
    Update: {
      TableName,
      Key: notificationKey(organization, id, first),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(Object.entries(said).map(([name, value]) => [`:${name}`, value])),
    },
  };
  return together(table, state, update, change, now);
};

const together = async (
  table: Table,
  state: HeldState,
  action: Action,
  change: StateChange,
  now: number,
): Promise<HeldState> => {
  const actions = [action, { Update: stateUpdate(table, state, change, now) }];
  for (let attempt = 0; ; attempt++) {
    const refused = await tryTransaction(table.client, actions);
    if (!refused) return changed(state, change);
    if (refused.length > 0) throw new LeaseLost();
    await backOff(attempt); // somebody was asking for a turn at the same moment
  }
};

const changed = (state: HeldState, change: StateChange): HeldState => {
  const next = { ...state, ...change };
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined)) as unknown as HeldState;
};

const stateUpdate = (
  { tableName: TableName }: Table,
  state: HeldState,
  change: StateChange,
  now: number,
): UpdateCommandInput & { UpdateExpression: string } => {
  const asked = 'redrive' in change ? state.redrive : undefined;
  const entries = Object.entries({ ...change, leaseUntil: now + leaseMs });
  const [set, removed] = [entries.filter(([, v]) => v !== undefined), entries.filter(([, v]) => v === undefined)];
  return {
    TableName,
    Key: stateKey(state),
    UpdateExpression: [
      `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ...(removed.length === 0 ? [] : [`REMOVE ${removed.map(([name]) => `#${name}`).join(', ')}`]),
    ].join(' '),
    // Who asks for what is dead says so without the lease.
    ConditionExpression: `#lease = :lease${asked === undefined ? '' : ' AND #redrive = :asked'}`,
    ExpressionAttributeNames: {
      '#lease': 'lease',
      ...Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
    },
    ExpressionAttributeValues: {
      ':lease': state.lease,
      ...(asked === undefined ? {} : { ':asked': asked }),
      ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
    },
  };
};
