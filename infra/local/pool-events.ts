import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { localAccount } from './event-bus.ts';

// What a deployed pool tells of itself: by CloudTrail through EventBridge, and by its log through CloudWatch. Samples: events/user-pool.

/** Of a user who is turned off, signed out everywhere or deleted: an event as EventBridge has it of CloudTrail, which hides the name. */
export const userEnded = (eventName: string, userPoolId: string, sub: string, now: number) => ({
  source: 'aws.cognito-idp',
  'detail-type': 'AWS API Call via CloudTrail',
  detail: {
    eventName,
    requestParameters: { userPoolId },
    eventTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
    eventID: randomUUID(),
    additionalEventData: { sub },
  },
});

/**
 * Of somebody who did not get in: a line of the pool's log, as a subscription filter passes it on. The name that was typed is not in it here, where Cognito writes it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
 *
 * @param sub - of the user, if there is one of the name.
 */
export const failedSignIn = (userPoolId: string, clientId: string, sub: string | undefined, now: number) => {
  const message = {
    eventTimestamp: String(now),
    eventSource: 'USER_AUTH_EVENTS',
    logLevel: 'INFO',
    message: {
      version: '1',
      eventId: randomUUID(),
      eventType: 'SignIn',
      ...(sub === undefined ? {} : { userSub: sub }),
      userPoolId,
      clientId,
      eventResponse: 'Fail',
      challenges: ['Password:Failure'],
    },
    logSourceId: { userPoolId },
  };
  const told = {
    messageType: 'DATA_MESSAGE',
    owner: localAccount,
    logGroup: `/aws/vendedlogs/concord/${userPoolId}`,
    logStream: userPoolId,
    subscriptionFilters: ['FailedSignIns'],
    logEvents: [{ id: randomUUID(), timestamp: now, message: JSON.stringify(message) }],
  };
  return { awslogs: { data: gzipSync(JSON.stringify(told)).toString('base64') } };
};
