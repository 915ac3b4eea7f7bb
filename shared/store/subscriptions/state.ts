import { type RowKey } from '../keys.ts';
import { Layouts } from '../layouts.ts';
import { type SubscriptionName, type SubscriptionStatus, subscriptionIn, subscriptionShard } from './settings.ts';
import { subscriptionStateKey } from './subscription-keys.ts';

/** How far delivery has come. Whoever has the lease writes it, and nobody else, but for what asks for a turn. Times are in milliseconds since 1970. */
export interface SubscriptionState extends SubscriptionName {
  /** The version of the settings that it follows; 0 before the first turn. */
  readonly version: number;
  readonly status: SubscriptionStatus;
  /** Cursor behind what has been taken of the feed; undefined before the first turn. */
  readonly cursor?: string;
  /** Events that were numbered: the number of the last one. */
  readonly events: number;
  /** First event of the notification that is under way. */
  readonly pending?: number;
  /** Attempts that failed in a row, the first one's time, why the last one did, and when the next is due. */
  readonly failures: number;
  readonly failingSince?: number;
  readonly problem?: string;
  readonly retryAt?: number;
  /** When something was last taken by the receiver. */
  readonly delivered?: number;
  /** From which event on dead notifications are to be sent again. */
  readonly redrive?: number;
  /** Who works on it, and until when nobody else does. */
  readonly lease?: string;
  readonly leaseUntil?: number;
  /** Grows with each turn that was asked for. */
  readonly wakes: number;
  /** When a turn last came to an end with nothing left to do. */
  readonly looked?: number;
}

type Stored = Omit<SubscriptionState, keyof SubscriptionName>;

export interface SubscriptionStateRow extends RowKey, Stored {
  readonly [attribute: string]: unknown;
  readonly layout: 1;
}

export const stateKey = ({ organization, id }: SubscriptionName): RowKey =>
  subscriptionStateKey(subscriptionShard(organization), organization, id);

export const stateRow = ({ organization, id, ...stored }: SubscriptionState): SubscriptionStateRow => ({
  ...stateKey({ organization, id }),
  layout: 1,
  ...stored,
});

export const stateLayouts = /* @__PURE__ */ new Layouts<(row: SubscriptionStateRow) => SubscriptionState>(
  'subscriptionState',
  {
    1: ({ pk, sk, layout: _layout, ...stored }) => ({ ...subscriptionIn({ pk, sk }), ...(stored as Stored) }),
  },
);

/** Before the first turn. */
export const newState = (name: SubscriptionName): SubscriptionState => ({
  organization: name.organization,
  id: name.id,
  version: 0,
  status: 'off',
  events: 0,
  failures: 0,
  wakes: 0,
});
