import type { Policy } from '../access/policy.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { SubscriptionSettings } from '../store/subscriptions/settings.ts';
import type { OpenedSecrets } from '../subscriptions/secrets.ts';
import type { PostTo } from '../webhooks/post.ts';
import type { Wake } from './wake-queue.ts';

/** What delivery works with. */
export interface Delivery {
  readonly store: RecordStore;
  readonly policy: Policy;
  /** Names of the network's substance-use programmes, read anew. */
  readonly programmes: () => Promise<ReadonlySet<string>>;
  readonly post: PostTo;
  /** @throws KeyServiceError. */
  readonly openSecrets: (settings: SubscriptionSettings) => Promise<OpenedSecrets>;
  readonly wake: (wakes: readonly Wake[]) => Promise<void>;
  /**
   * Makes the version of a Subscription that says how it stands, unless another version has taken the place of the one that this was decided by.
   *
   * @param error - what its reader is told went wrong.
   */
  readonly setStatus: (
    settings: SubscriptionSettings,
    status: 'active' | 'error' | 'off',
    error?: string,
  ) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** After so long a turn leaves the rest to another one, so that each Subscription has its turn. Milliseconds. */
  readonly turnMs: number;
}
