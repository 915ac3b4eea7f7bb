import { deliverOnWake } from '../shared/delivery/on-queue.ts';

/** Tells receivers of Subscriptions what there is to tell: one message, one Subscription, one turn. */
export const handler = deliverOnWake();
