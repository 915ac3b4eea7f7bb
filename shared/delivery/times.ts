import type { StoredSubscription } from '../store/subscriptions/read-subscriptions.ts';
import type { SubscriptionSettings } from '../store/subscriptions/settings.ts';
import type { SubscriptionState } from '../store/subscriptions/state.ts';

const firstPauseMs = 5_000;
const longestPauseMs = 3_600_000;

/** How long a receiver may fail until what waits for it is given up, in milliseconds. */
export const givenUpAfterMs = 3 * 24 * 3_600_000;

/** A Subscription that nobody woke is looked at so often, in milliseconds: a wake that was lost delays a notification by no more. */
export const lookedAtEveryMs = 3_600_000;

/**
 * When to try again: twice as long after each failure, an hour at most, and half of it by chance, so that those who failed together do not come back together.
 *
 * @param failures - in a row, from 1.
 * @param random - from 0 to 1.
 * @param asked - how long the receiver asks to be left alone, in milliseconds. It may have an hour, too.
 */
export const pauseAfter = (failures: number, random: number, asked = 0): number => {
  const own = Math.min(firstPauseMs * 2 ** Math.min(failures - 1, 20), longestPauseMs) * (0.5 + random / 2);
  return Math.round(Math.max(own, Math.min(asked, longestPauseMs)));
};

/** When the next heartbeat is due, in milliseconds since 1970; never where none is asked for. */
export const heartbeatAt = (
  { heartbeatSeconds }: SubscriptionSettings,
  { delivered, failures, retryAt }: SubscriptionState,
): number => {
  if (heartbeatSeconds === undefined) return Number.POSITIVE_INFINITY;
  return failures > 0 && retryAt !== undefined ? retryAt : (delivered ?? 0) + heartbeatSeconds * 1_000;
};

/** When something is to be done for a Subscription though nothing has changed, in milliseconds since 1970; 0 for at once. */
export const dueAt = ({ settings, state, unread }: StoredSubscription): number => {
  if (unread) return Number.POSITIVE_INFINITY; // until there is something new for it
  if (!settings || !state || settings.version !== state.version) return 0;
  // Whoever had it has not come to its end.
  if (state.lease !== undefined) return state.leaseUntil ?? 0;
  if (settings.status === 'off') return Number.POSITIVE_INFINITY;
  return Math.min(
    settings.end ?? Number.POSITIVE_INFINITY,
    (state.looked ?? 0) + lookedAtEveryMs,
    ...(state.status === 'active' ? [state.retryAt ?? Number.POSITIVE_INFINITY, heartbeatAt(settings, state)] : []),
    ...(state.status === 'active' && state.redrive !== undefined ? [state.retryAt ?? 0] : []),
  );
};
