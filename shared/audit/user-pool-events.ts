import { gunzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import type { UserPools } from '../config.ts';
import { log } from '../log.ts';
import { deny } from '../store/denylist.ts';
import type { Table } from '../store/write-rows.ts';
import { SignInLog } from './sign-ins.ts';

// What Cognito tells none of its triggers. That a user was turned off, signed out everywhere or deleted, CloudTrail tells; that somebody did not get in stands in
// the log that the pools export: https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html,
// https://docs.aws.amazon.com/cognito/latest/developerguide/exporting-quotas-and-usage.html

/** Calls after which what a user was given is good for nothing, though Cognito's access tokens outlive them. */
export const endingCalls = ['AdminDisableUser', 'AdminUserGlobalSignOut', 'AdminDeleteUser'] as const;

/** Of an event of EventBridge, `AWS API Call via CloudTrail`, what is looked at. Names are hidden in it, and are not asked for. */
const calledEvent = z.object({
  source: z.literal('aws.cognito-idp'),
  'detail-type': z.literal('AWS API Call via CloudTrail'),
  detail: z.object({
    eventTime: z.iso.datetime(),
    eventName: z.string(),
    errorCode: z.optional(z.string()),
    requestParameters: z.object({ userPoolId: z.optional(z.string()) }),
    additionalEventData: z.optional(z.object({ sub: z.optional(z.string()) })),
  }),
});
export type CalledEvent = z.infer<typeof calledEvent>;

/** What a subscription of a log hands to a function, compressed. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html */
const loggedEvent = z.object({ awslogs: z.object({ data: z.string() }) });
const loggedLines = z.object({
  logEvents: z.array(z.object({ timestamp: z.int(), message: z.string() })),
});

/** Of a line of a pool's log, what is looked at: not the name that was typed, which may be a password. */
const userActivity = z.object({
  message: z.object({
    eventId: z.string(),
    eventType: z.string(),
    eventResponse: z.string(),
    userSub: z.optional(z.nullable(z.string())),
    userPoolId: z.string(),
    clientId: z.optional(z.string()),
  }),
});

/** A row that is written later than this after the time that it tells would look like one that was inserted (`audit:verify`), so it tells its own. Milliseconds. */
const latestTold = 10 * 60_000;

/**
 * Does what follows of what the pools tell: denies what was given to a user whom a call ends, or writes that somebody was not let in. An event that comes again changes
 * nothing.
 *
 * @param now - milliseconds since 1970.
 * @throws Error for an event of another shape, or that should name a user and does not: it comes again, and is seen in the function's errors.
 */
export const followUserPool = async (table: Table, event: unknown, pools: UserPools, now: number): Promise<void> => {
  const ours = Object.values(pools) as readonly string[];
  const { success, data } = loggedEvent.safeParse(event);
  if (!success) return followCall(table, calledEvent.parse(event), ours);
  const { logEvents } = loggedLines.parse(JSON.parse(gunzipSync(Buffer.from(data.awslogs.data, 'base64')).toString()));
  for (const { timestamp, message } of logEvents) {
    const activity = userActivity.parse(JSON.parse(message)).message;
    if (ours.includes(activity.userPoolId)) await followActivity(table, activity, timestamp, now);
  }
};

const followCall = async (table: Table, { detail }: CalledEvent, ours: readonly string[]): Promise<void> => {
  const { eventName, errorCode, requestParameters, additionalEventData, eventTime } = detail;
  if (errorCode || !endingCalls.some((call) => call === eventName)) return;
  if (!ours.includes(requestParameters.userPoolId ?? '')) return;
  const subject = additionalEventData?.sub;
  if (subject === undefined) throw new Error(`${eventName} names no user`);
  // The event tells the second, as tokens do: what was given in the same one is denied too.
  await deny(table, { kind: 'subject', name: subject, before: Date.parse(eventTime) + 999 });
};

/** Cognito's interface spells events one way, its log another. */
const isFailedSignIn = ({ eventType, eventResponse }: { eventType: string; eventResponse: string }): boolean =>
  /^sign_?in$/i.test(eventType) && /^fail/i.test(eventResponse);

const followActivity = async (
  table: Table,
  activity: z.infer<typeof userActivity>['message'],
  at: number,
  now: number,
): Promise<void> => {
  if (!isFailedSignIn(activity)) return;
  const { userSub: subject, clientId: client = '', eventId } = activity;
  if (!subject) {
    // Nobody's row, and no name in any.
    log.count('SignInsOfNobody');
    return;
  }
  const signIns = await SignInLog.open(table);
  const who = (await signIns.lastKnown(subject)) ?? { subject, name: subject, fhirUser: '', roles: [] };
  await signIns.notLetIn({ ...who, client }, 'failed', now - at > latestTold ? now : at, eventId);
};
