import { log } from '../log.ts';
import { positionOf } from '../store/feed/feed-rows.ts';
import { cursorText, endOfSequence } from '../store/feed/sequence.ts';
import { lastNotifications, type Notification, notificationsBetween } from '../store/subscriptions/notifications.ts';
import { subscriptionOf } from '../store/subscriptions/read-subscriptions.ts';
import type { SubscriptionName, SubscriptionSettings } from '../store/subscriptions/settings.ts';
import {
  changeNotification,
  endTurn,
  type HeldState,
  LeaseLost,
  leaveTurn,
  putNotification,
  removeState,
  takeLease,
  writeState,
} from '../store/subscriptions/turns.ts';
import { attempt, type Outcome, postNotification } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import { gather, mostEvents } from './gather.ts';
import { givenUpAfterMs, heartbeatAt, pauseAfter } from './times.ts';
import { longestDelaySeconds } from './wake-queue.ts';

// A turn is a loop of small steps. Each ends with one write under the lease, or with a version of the Subscription, and the next one begins from what is
// stored: so a deliverer may be killed between any two, and who comes next goes on there. What a step posts was numbered before, so it is the same again.

/** What a step came to. */
type Step = 'again' | 'nothing-to-do';

interface Turn {
  readonly delivery: Delivery;
  readonly settings: SubscriptionSettings;
  readonly state: HeldState;
  /** Positions of changes that were numbered lately. */
  readonly told: () => Promise<Set<string>>;
}

/**
 * Gives a Subscription its turn: brings it to where its settings want it, tells its receiver what there is to tell in its order, and ends where nothing is to be
 * done now or after some seconds; then another turn is asked for. Whoever comes while another one is at work asks that one to look again.
 *
 * @throws what leaves the store, the queue or the key service without an answer. The lease runs out then, and somebody else goes on.
 */
export const deliver = async (delivery: Delivery, name: SubscriptionName): Promise<void> => {
  const { store, now, wake, turnMs } = delivery;
  const known = await subscriptionOf(store, name);
  if (!known.settings && !known.state) return;
  const lease = await takeLease(store, name, now());
  if (lease === undefined) return;
  const began = now();
  const told = rememberedOf(delivery);
  for (;;) {
    const { settings, state } = await subscriptionOf(store, name);
    if (state?.lease !== lease) return;
    const held: HeldState = { ...state, lease };
    if (now() - began >= turnMs) {
      // In this order: whoever is woken has to find it free.
      await leaveTurn(store, held);
      return wake([name]);
    }
    try {
      if (!settings) {
        if (held.pending === undefined) return await removeState(store, held);
        await bury({ delivery, state: held }, held.pending);
        continue;
      }
      const step = await stepOf({ delivery, settings, state: held, told: () => told(settings) });
      if (step === 'nothing-to-do' && (await endTurn(store, held, now()))) return;
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
    }
  }
};

/** Events that are looked through for one that was told before: a batch of the stream that came again is not far from where it came first. */
const lookBackEvents = 1_000;

const rememberedOf = ({ store }: Delivery) => {
  let known: Promise<Set<string>> | undefined;
  return (settings: SubscriptionSettings): Promise<Set<string>> => {
    const rows = Math.min(Math.max(Math.ceil(lookBackEvents / mostEvents(settings)), 50), lookBackEvents);
    known ??= lastNotifications(store, settings, rows).then(
      (last) => new Set(last.flatMap(({ changes }) => changes.map(positionOf))),
    );
    return known;
  };
};

const stepOf = async (turn: Turn): Promise<Step> => {
  const { delivery, settings, state } = turn;
  if (state.version !== settings.version) return adopt(turn);
  if (settings.status !== 'off' && (settings.end ?? Number.POSITIVE_INFINITY) <= delivery.now()) {
    await delivery.setStatus(settings, 'off');
    return 'again';
  }
  switch (state.status) {
    case 'requested':
      return shakeHands(turn);
    case 'active':
      return tell(turn);
    case 'error':
      return state.pending === undefined ? numberWhatIsMissed(turn) : bury(turn, state.pending);
    case 'off':
      return state.pending === undefined ? 'nothing-to-do' : bury(turn, state.pending);
  }
};

/** Nothing is held against a receiver any more. */
const unfailing = { failures: 0, failingSince: undefined, problem: undefined, retryAt: undefined } as const;

/**
 * Follows what the Subscription says now. One that is new, or was switched on, begins at the end of the feed as it was before that, however often it was written since;
 * any other one goes on where it is. One that was deleted has no state any more, but its proof of delivery: numbers go on behind that.
 */
const adopt = async ({ delivery: { store, now }, settings, state }: Turn): Promise<Step> => {
  const { version, status, start, startedBy = 0, organization } = settings;
  const [last] = state.version === 0 ? await lastNotifications(store, settings, 1) : [];
  const begins = status !== 'off' && (state.cursor === undefined || state.version < startedBy);
  await writeState(
    store,
    state,
    {
      version,
      status,
      ...(last ? { events: behind(last) - 1 } : {}),
      ...(status === 'requested' ? unfailing : {}),
      ...(begins ? { cursor: start ?? cursorText(await endOfSequence(store, organization)) } : {}),
    },
    now(),
  );
  return 'again';
};

/** The number behind its events. */
const behind = ({ first, changes }: Notification): number => first + changes.length;

/** https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#rest-hook: any error of the handshake is one of the Subscription. */
const shakeHands = async ({ delivery, settings, state }: Turn): Promise<Step> => {
  const { store, now, setStatus } = delivery;
  const at = now();
  const outcome = await postNotification(
    delivery,
    settings,
    { type: 'handshake', status: 'requested', events: state.events },
    { name: `handshake ${settings.version}`, at },
  );
  if (outcome.taken) {
    await writeState(store, state, { ...unfailing, delivered: now() }, now());
    await setStatus(settings, 'active');
    return 'again';
  }
  await writeState(store, state, { problem: outcome.problem }, now());
  log.count('SubscriptionsFailed');
  await setStatus(settings, 'error', `The endpoint did not take the handshake: ${reasonOf(outcome)}`);
  return 'again';
};

const reasonOf = ({ problem, httpStatus }: Outcome & { readonly taken: false }): string =>
  httpStatus === undefined ? problem : `${problem} ${httpStatus}`;

const tell = async (turn: Turn): Promise<Step> => {
  const { delivery, settings, state } = turn;
  const at = delivery.now();
  if (state.retryAt !== undefined && state.retryAt > at) return 'nothing-to-do';
  if (state.pending !== undefined) return tellPending(turn, state.pending);
  if (state.redrive !== undefined) return revive(turn, state.redrive);
  const step = await readOn(turn, 'pending');
  if (step === 'again' || heartbeatAt(settings, state) > at) return step;
  const outcome = await postNotification(
    delivery,
    settings,
    { type: 'heartbeat', status: 'active', events: state.events },
    { name: `heartbeat ${at}`, at },
  );
  if (!outcome.taken) return fail(turn, outcome);
  await writeState(delivery.store, state, { ...unfailing, delivered: delivery.now() }, delivery.now());
  return 'again';
};

/** Numbers the next events of the feed. From then on what they tell is the same, whenever and by whomever it is told. */
const readOn = async (turn: Turn, status: 'pending' | 'dead'): Promise<Step> => {
  const { delivery, settings, state, told } = turn;
  const { store, now } = delivery;
  const { organization, id } = settings;
  const before = state.cursor ?? cursorText(await endOfSequence(store, organization));
  const { changes, cursor, end } = await gather(delivery, settings, before, told);
  if (changes.length === 0) {
    if (cursor === state.cursor) return end ? 'nothing-to-do' : 'again';
    await writeState(store, state, { cursor }, now());
    return 'again';
  }
  const first = state.events + 1;
  await putNotification(
    store,
    state,
    { organization, id, first, made: now(), changes, filtered: settings.filters.length > 0, status, attempts: 0 },
    { cursor, events: state.events + changes.length, ...(status === 'pending' ? { pending: first } : {}) },
    now(),
  );
  const known = await told();
  for (const change of changes) known.add(positionOf(change));
  return 'again';
};

/** What happens while a Subscription is in error has its numbers too, so that its reader sees that something is missing, and can have it. */
const numberWhatIsMissed = (turn: Turn): Promise<Step> => readOn(turn, 'dead');

const tellPending = async (turn: Turn, pending: number): Promise<Step> => {
  const { delivery, settings, state } = turn;
  const { store, now } = delivery;
  const notification = await notificationAt(turn, pending);
  const attempted = await attempt(delivery, settings, notification);
  const tried = now();
  const { left } = attempted;
  if (attempted.withheld) {
    await changeNotification(
      store,
      state,
      notification,
      { status: 'withheld', tried, left },
      { pending: undefined },
      tried,
    );
    return 'again';
  }
  const { outcome } = attempted;
  if (!outcome.taken) return fail(turn, outcome, { notification, left });
  await changeNotification(
    store,
    state,
    notification,
    { status: 'delivered', attempts: notification.attempts + 1, tried, httpStatus: outcome.httpStatus, left },
    { ...unfailing, pending: undefined, delivered: tried },
    tried,
  );
  return 'again';
};

const notificationAt = async (
  { delivery: { store }, state }: Pick<Turn, 'delivery' | 'state'>,
  first: number,
): Promise<Notification> => {
  const [found] = await notificationsBetween(store, state, first, first);
  if (found?.first !== first) throw new Error('A notification that is under way is not there');
  return found;
};

/** Gone: the receiver wants nothing more. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const gone = 410;

/** Notes that a receiver failed. After three days of it, or once it says that it is gone, the Subscription is in error, and what waits is given up. */
const fail = async (
  { delivery, settings, state }: Turn,
  outcome: Outcome & { readonly taken: false },
  of?: { readonly notification: Notification; readonly left: readonly number[] },
): Promise<Step> => {
  const { store, now, random, setStatus, wake } = delivery;
  const tried = now();
  const failures = state.failures + 1;
  const failingSince = state.failingSince ?? tried;
  const pause = pauseAfter(failures, random(), outcome.retryAfterMs);
  const change = { failures, failingSince, problem: outcome.problem, retryAt: tried + pause };
  if (of) {
    const { notification, left } = of;
    const { httpStatus } = outcome;
    const attempts = notification.attempts + 1;
    const said = { attempts, tried, left, ...(httpStatus === undefined ? {} : { httpStatus }) };
    await changeNotification(store, state, notification, said, change, tried);
  } else await writeState(store, state, change, tried);
  const isGone = outcome.httpStatus === gone;
  if (isGone || tried - failingSince >= givenUpAfterMs) {
    log.count('SubscriptionsFailed');
    const why = isGone ? 'The endpoint is gone' : 'Notifications have failed for three days';
    await setStatus(settings, 'error', `${why}: ${reasonOf(outcome)}`);
    return 'again';
  }
  const delaySeconds = Math.ceil(pause / 1_000);
  const { organization, id } = settings;
  // A longer pause ends as it is looked what is due.
  if (delaySeconds <= longestDelaySeconds) await wake([{ organization, id, delaySeconds }]);
  return 'again';
};

/** What waits is not sent any more, unless it is asked for again. */
const bury = async (turn: Pick<Turn, 'delivery' | 'state'>, pending: number): Promise<Step> => {
  const { store, now } = turn.delivery;
  const notification = await notificationAt(turn, pending);
  await changeNotification(store, turn.state, notification, { status: 'dead' }, { pending: undefined }, now());
  return 'again';
};

/** Notifications that are looked through for dead ones at once. */
const lookedThrough = 100;

/** Sends what is dead once more, oldest first, under the numbers that it has. */
const revive = async ({ delivery: { store, now }, settings, state }: Turn, from: number): Promise<Step> => {
  const found = await notificationsBetween(store, settings, from, state.events, lookedThrough);
  const dead = found.find(({ status }) => status === 'dead');
  if (dead) {
    const change = { pending: dead.first, redrive: behind(dead) };
    await changeNotification(store, state, dead, { status: 'pending' }, change, now());
    return 'again';
  }
  const last = found.at(-1);
  const redrive = last && found.length >= lookedThrough ? behind(last) : undefined;
  await writeState(store, state, { redrive }, now());
  return 'again';
};
