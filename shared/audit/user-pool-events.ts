import * as z from 'zod/mini';
import { log } from '../log.ts';
import { deny } from '../store/denylist.ts';
import type { Table } from '../store/write-rows.ts';
import { SignInLog } from './sign-ins.ts';

// What Cognito tells nobody but CloudTrail: that a user was turned off, signed out everywhere or deleted, and that somebody did not get in.
// https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html

/** Calls after which what a user was given is good for nothing, though Cognito's access tokens outlive them. */
export const endingCalls = ['AdminDisableUser', 'AdminUserGlobalSignOut', 'AdminDeleteUser'] as const;

/** Calls by which somebody signs in with a user pool's API. */
export const signInCalls = [
  'InitiateAuth',
  'RespondToAuthChallenge',
  'AdminInitiateAuth',
  'AdminRespondToAuthChallenge',
] as const;

/** How they fail where who signs in does not prove who it is. */
export const failures = ['NotAuthorizedException', 'UserNotFoundException', 'CodeMismatchException'] as const;

const known = <T extends string>(names: readonly T[], name: string): boolean => names.some((each) => each === name);

/** Of an event of EventBridge, `AWS API Call via CloudTrail`, what is looked at. Names and passwords are hidden in it, and are not asked for. */
const userPoolEvent = z.object({
  source: z.literal('aws.cognito-idp'),
  'detail-type': z.literal('AWS API Call via CloudTrail'),
  detail: z.object({
    eventTime: z.iso.datetime(),
    eventName: z.string(),
    eventID: z.string(),
    errorCode: z.optional(z.string()),
    requestParameters: z.object({
      userPoolId: z.optional(z.string()),
      clientId: z.optional(z.string()),
      authFlow: z.optional(z.string()),
    }),
    additionalEventData: z.optional(z.object({ sub: z.optional(z.string()) })),
  }),
});
export type UserPoolEvent = z.infer<typeof userPoolEvent>;

/** The pool, as its events name it. */
export interface FollowedPool {
  readonly userPoolId: string;
  readonly clientIds: readonly string[];
}

/** A row that is written later than this after the time that it tells would look like one that was inserted (`audit:verify`), so it tells its own. Milliseconds. */
const latestTold = 10 * 60_000;

/**
 * Does what follows of a call to the user pool: denies what was given to a user whom it ends, or writes that a user was not let in. An event that comes again changes
 * nothing.
 *
 * @param now - milliseconds since 1970.
 * @throws Error for an event of another shape, or that should name a user and does not: it comes again, and is seen in the function's errors.
 */
export const followUserPool = async (
  table: Table,
  event: unknown,
  { userPoolId, clientIds }: FollowedPool,
  now: number,
): Promise<void> => {
  const { detail } = userPoolEvent.parse(event);
  const { eventName, errorCode, requestParameters, additionalEventData, eventID } = detail;
  const subject = additionalEventData?.sub;
  const at = Date.parse(detail.eventTime);
  if (known(endingCalls, eventName)) {
    if (errorCode || requestParameters.userPoolId !== userPoolId) return;
    if (subject === undefined) throw new Error(`${eventName} names no user`);
    // The event tells the second, as tokens do: what was given in the same one is denied too.
    await deny(table, { kind: 'subject', name: subject, before: at + 999 });
    return;
  }
  const { clientId, authFlow = '' } = requestParameters;
  const ours = clientId !== undefined && clientIds.includes(clientId);
  if (!ours || !known(signInCalls, eventName) || !known(failures, errorCode ?? '')) return;
  if (authFlow.startsWith('REFRESH_TOKEN')) return; // renewing is no sign-in
  if (subject === undefined) {
    // What was typed instead of a name may be a password: nobody's row, and no name in any.
    log.count('SignInsOfNobody');
    return;
  }
  const signIns = await SignInLog.open(table);
  const who = (await signIns.lastKnown(subject)) ?? { subject, name: subject, fhirUser: '', roles: [] };
  await signIns.notLetIn({ ...who, client: clientId }, 'failed', now - at > latestTold ? now : at, eventID);
};
