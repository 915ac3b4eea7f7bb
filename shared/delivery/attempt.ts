import { randomUUID } from 'node:crypto';
import { AuditTrail } from '../audit/audit-trail.ts';
import { passingOver } from '../changes/pass-over.ts';
import { type Readable, type Reading, readableNow, type Within } from '../changes/readable-now.ts';
import { stringifyJson } from '../fhir/json.ts';
import {
  notificationBundle,
  notificationId,
  type SubscriptionProblem,
  type ToldEvent,
  type ToldStatus,
} from '../notifications/notification-bundle.ts';
import { entriesFor, toldByChart } from '../notifications/told-entries.ts';
import type { RecordChange } from '../store/feed/change.ts';
import type { Notification } from '../store/subscriptions/notifications.ts';
import type { SubscriptionSettings } from '../store/subscriptions/settings.ts';
import { mayKnowFound } from '../subscriptions/found-by-filter.ts';
import type { PostOutcome } from '../webhooks/post.ts';
import { signatureHeaders } from '../webhooks/signature.ts';
import type { Delivery } from './delivery.ts';
import { readingOf, writerAsking } from './gather.ts';

/** The longest that a receiver may take, in milliseconds, whatever it asks for. */
const longestPostMs = 10_000;

/** What came of posting to a receiver. */
export type Outcome =
  | { readonly taken: true; readonly httpStatus: number }
  | {
      readonly taken: false;
      readonly problem: SubscriptionProblem;
      readonly httpStatus?: number;
      readonly retryAfterMs?: number;
    };

/** Too Many Requests, Service Unavailable: those that say when to come again. */
const busy = new Set([429, 503]);

const outcomeOf = (outcome: PostOutcome): Outcome => {
  if ('failed' in outcome)
    return { taken: false, problem: outcome.failed === 'address' ? 'dns-resolution-error' : 'no-response' };
  const { status: httpStatus, retryAfterMs } = outcome;
  if (httpStatus >= 200 && httpStatus < 300) return { taken: true, httpStatus };
  const asks = retryAfterMs !== undefined && busy.has(httpStatus);
  return { taken: false, problem: 'error-response', httpStatus, ...(asks ? { retryAfterMs } : {}) };
};

/** A notification by its name, and when it was made. */
interface Named {
  readonly name: string;
  readonly at: number;
}

/**
 * Posts a notification once: with the headers that the subscriber gave, signed where a secret was given.
 *
 * @throws KeyServiceError.
 */
export const postNotification = async (
  { post, openSecrets, now }: Delivery,
  settings: SubscriptionSettings,
  status: ToldStatus,
  named: Named,
): Promise<Outcome> => {
  const { endpoint, contentType, timeoutSeconds } = settings;
  const { headers, signingSecret } = await openSecrets(settings);
  const body = stringifyJson(notificationBundle(settings, status, named));
  const id = notificationId(settings, named.name);
  const signed = signingSecret
    ? signatureHeaders(signingSecret, { id, timestamp: Math.floor(now() / 1_000), body })
    : { 'webhook-id': id };
  const timeoutMs = Math.min((timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1_000, longestPostMs);
  return outcomeOf(
    await post(endpoint, {
      headers: {
        ...Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        'content-type': contentType,
        ...signed,
      },
      body,
      timeoutMs,
    }),
  );
};

/** What an attempt at a notification of events came to. */
export type Attempted =
  /** Nothing of it may be known any more. */
  | { readonly withheld: true; readonly left: readonly number[] }
  | { readonly withheld: false; readonly left: readonly number[]; readonly outcome: Outcome };

/**
 * Attempts to deliver a notification: decides right before what of it may still be known, leaves a trace of what is told for the first time, and posts that.
 *
 * @throws whatever leaves the store without an answer; KeyServiceError.
 */
export const attempt = async (
  delivery: Delivery,
  settings: SubscriptionSettings,
  notification: Notification,
): Promise<Attempted> => {
  const { now } = delivery;
  const { changes, first, made, attempts, left: leftBefore = [] } = notification;
  const { reading, programmes } = await readingOf(delivery, settings, now());
  const passOver = passingOver(delivery.store, settings.organization);
  const writer = writerAsking(settings);
  const known = changes.filter((change) => mayKnowFound(writer, notification, change));
  const readable = await allReadable(reading, known, { passOver, told: true });
  const numbered = changes.map((change, index) => ({ number: first + index, change, found: readable.get(change) }));
  const left = numbered.flatMap(({ number, found }) => (found ? [] : [number]));
  if (left.length === changes.length) return { withheld: true, left };
  const told = numbered.flatMap(({ number, found }) => (found ? [{ number, found }] : []));
  const anew = told.filter(({ number }) => attempts === 0 || leftBefore.includes(number));
  if (settings.content !== 'empty')
    await trace(
      delivery,
      settings,
      reading,
      anew.map(({ found }) => found),
    );
  const entryOf = await entriesFor(
    reading,
    { ...settings, programmes },
    told.map(({ found }) => found),
  );
  const events = told.map(
    ({ number, found }): ToldEvent => ({
      number,
      at: found.change.updated,
      entry: entryOf(found),
    }),
  );
  const outcome = await postNotification(
    delivery,
    settings,
    { type: 'event-notification', status: 'active', events: first + changes.length - 1, told: events },
    { name: String(first), at: made },
  );
  return { withheld: false, left, outcome };
};

const allReadable = async (
  reading: Reading,
  changes: readonly RecordChange[],
  within: Within,
): Promise<ReadonlyMap<RecordChange, Readable>> => {
  const found = new Map<RecordChange, Readable>();
  let waiting = changes;
  while (waiting.length > 0) {
    const { readable, taken } = await readableNow(reading, waiting, within);
    for (const each of readable) found.set(each.change, each);
    waiting = waiting.slice(taken);
  }
  return found;
};

/** A row in the log of each chart of which something is told, before it is. */
const trace = async (
  { store, now }: Delivery,
  { id }: SubscriptionSettings,
  { asking, sharing }: Reading,
  told: readonly Readable[],
): Promise<void> => {
  const audit = new AuditTrail(store, asking, randomUUID(), now(), sharing);
  const query = `Subscription/${id}`;
  await audit.record(toldByChart(told).map((each) => ({ ...each, interaction: 'history-system', query })));
};
